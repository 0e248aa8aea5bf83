#include "agent/cli/verbs.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <exception>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <optional>
#include <ostream>
#include <vector>

#include "agent/cli/admin_client.h"
#include "agent/cli/command_line.h"
#include "agent/cli/status_view.h"
#include "agent/json/plain.h"

namespace tideover::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kPatience{30};  // a reload judges files, and binds

// Names need no escapes; whatever else was typed must not become another request.
std::string plain(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  std::string out;
  for (const char c : word)
    if (kPlain.find(c) != kPlain.npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

std::string query(const VerbOptions& options, const std::string& destination, std::string_view more = {}) {
  std::string out = "?signal=" + plain(options.signal);
  if (!destination.empty()) out += "&destination=" + plain(destination);
  return out.append(more);
}

// The status for the shell, once there is no answer to go on with.
struct Stop {
  int status;
};

AdminAnswer ask(const VerbOptions& options, const char* method, const std::string& path, std::ostream& err) {
  const auto target = find_target(options.agent);
  if (!target) {
    err << target.error().detail;
    throw Stop{kBadUsage};
  }
  auto answer = ask_admin(*target, method, path, kPatience);
  if (!answer) {
    err << no_answer(*target, answer.error());
    throw Stop{kFault};
  }
  return std::move(*answer);
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

int act(const VerbOptions& options, const std::string& path, std::ostream& out, std::ostream& err) try {
  const AdminAnswer answer = ask(options, "POST", path, err);
  const bool done = answer.status == 200;
  const std::string words = without_line_end(answer.body);
  if (options.agent.json)
    out << plain_json(json::object{{"done", done}, {"sentence", words}}) << "\n";
  else
    (done ? out : err) << (done ? "" : "tideover: ") << words << "\n";
  return done ? kSuccess : kFault;
} catch (const Stop& stop) {
  return stop.status;
}

std::string_view text_of(const json::object& object, const char* key) {
  const json::string& text = object.at(key).as_string();
  return {text.data(), text.size()};
}

std::string line_of(const json::object& reject) {
  const json::value& when = reject.at("refused_timestamp");
  const std::string time = when.is_null()
                               ? "?"
                               : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                             fmt::gmtime(static_cast<std::time_t>(when.to_number<double>())));
  return fmt::format("{} {}: {} samples, {}: {}: {}\n", time, printable(text_of(reject, "destination")),
                     reject.at("samples").to_number<std::uint64_t>(), printable(text_of(reject, "reason")),
                     printable(text_of(reject, "first")), printable(text_of(reject, "sentence")));
}

// One line for each, JSON or not. Where to go on, if there is more.
std::optional<std::uint64_t> print_page(const std::string& body, bool as_json, std::ostream& out) {
  const json::value page = json::parse(body);
  for (const json::value& reject : page.at("rejects").as_array())
    out << (as_json ? plain_json(reject) + "\n" : line_of(reject.as_object()));
  const json::value& next = page.at("next");
  if (next.is_null()) return std::nullopt;
  return next.to_number<std::uint64_t>();
}

int refused(const AdminAnswer& answer, std::ostream& err) {
  err << "tideover: " << without_line_end(answer.body) << "\n";
  return kFault;
}

}  // namespace

int reload(const VerbOptions& options, std::ostream& out, std::ostream& err) {
  return act(options, options.leave_backlog ? "/-/reload?leave_backlog=true" : "/-/reload", out, err);
}

int replay_parked(const VerbOptions& options, std::ostream& out, std::ostream& err) {
  return act(options, "/api/v1/buffer/replay-parked" + query(options, {}), out, err);
}

int drop_cursor(const VerbOptions& options, std::ostream& out, std::ostream& err) {
  return act(options, "/api/v1/buffer/drop-cursor" + query(options, options.destination), out, err);
}

int rejects(const VerbOptions& options, std::ostream& out, std::ostream& err) try {
  std::vector<std::string> names{options.destination};
  if (options.destination.empty()) {
    const AdminAnswer answer = ask(options, "GET", "/api/v1/status/destinations", err);
    const auto known = destination_names(answer.body, options.signal);
    if (answer.status != 200 || !known) return refused(answer, err);
    names = *known;
  }
  for (const std::string& name : names) {
    for (std::optional<std::uint64_t> from = 0; from;) {
      const std::string path =
          "/api/v1/buffer/rejects" + query(options, name, fmt::format("&from={}", *from));
      const AdminAnswer answer = ask(options, "GET", path, err);
      if (answer.status == 404 && options.destination.empty()) break;  // it has refused nothing yet
      if (answer.status != 200) return refused(answer, err);
      from = print_page(answer.body, options.agent.json, out);
    }
  }
  return kSuccess;
} catch (const Stop& stop) {
  return stop.status;
} catch (const std::exception& error) {
  err << "tideover: the agent's answer is not understood: is it of another version?\n";
  return kFault;
}

}  // namespace tideover::cli
