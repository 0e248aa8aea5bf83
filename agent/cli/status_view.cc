#include "agent/cli/status_view.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <exception>
#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "agent/check/human.h"
#include "agent/json/plain.h"

namespace tideover::cli {
namespace {

namespace json = boost::json;
using check::grouped;
using check::human_bytes;
using check::human_count;
using check::human_seconds;

// Readers of one member; a member of another type throws, which status_table() turns into its error.
std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::uint64_t count_of(const json::object& object, std::string_view key) {
  return object.at({key.data(), key.size()}).to_number<std::uint64_t>();
}
double number_of(const json::object& object, std::string_view key) {
  return object.at({key.data(), key.size()}).to_number<double>();
}
std::string_view text_of(const json::object& object, std::string_view key) {
  return view(object.at({key.data(), key.size()}).as_string());
}
bool is_null(const json::object& object, std::string_view key) {
  return object.at({key.data(), key.size()}).is_null();
}

// "12m03s" since a timestamp, or "-".
std::string age(const json::object& object, std::string_view key, double now) {
  return is_null(object, key) ? "-" : human_seconds(std::max(now - number_of(object, key), 0.0));
}

// Columns as wide as their widest cell; the first left-aligned, the rest right-aligned.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == 0)
        fmt::format_to(std::back_inserter(out), "{:<{}}", row[i], widths[i]);
      else
        fmt::format_to(std::back_inserter(out), "  {:>{}}", row[i], widths[i]);
    }
    out += '\n';
  }
  return out;
}

// What a signal is counted in.
std::string_view units_of(std::string_view signal) { return signal == "logs" ? "lines" : "samples"; }

std::string buffer_text(std::string_view signal, const json::object& buffer, double now) {
  std::string out;
  auto to = std::back_inserter(out);
  const auto bytes = count_of(buffer, "bytes");
  const auto max = count_of(buffer, "max_bytes");
  fmt::format_to(to, "{}: {} of {} used ({:.0f}%), {} {} in {} records, oldest {}\n", signal,
                 human_bytes(bytes), human_bytes(max),
                 max == 0 ? 0.0 : 100.0 * static_cast<double>(bytes) / static_cast<double>(max),
                 human_count(count_of(buffer, "samples")), units_of(signal),
                 human_count(count_of(buffer, "records")), age(buffer, "oldest_timestamp", now));
  if (is_null(buffer, "refusing"))
    fmt::format_to(to, "  survives an outage of {}\n",
                   is_null(buffer, "survivable_seconds")
                       ? "any length: nothing comes in"
                       : human_seconds(number_of(buffer, "survivable_seconds")));
  else
    fmt::format_to(to, "  REFUSING new {}: {}\n", units_of(signal), printable(text_of(buffer, "refusing")));
  return out;
}

// An agent that was started before it said so is ready when it answers.
std::string readiness_text(const json::object& buffer) {
  if (!buffer.contains("ready") || buffer.at("ready").as_bool()) return {};
  return fmt::format("NOT READY: {}\n", printable(text_of(buffer, "not_ready_because")));
}

std::string disk_text(const json::object& disk) {
  std::string out =
      fmt::format("disk: {} taken, {} free, {} to be left free\n", human_bytes(count_of(disk, "store_bytes")),
                  human_bytes(count_of(disk, "free_bytes")), human_bytes(count_of(disk, "floor_bytes")));
  if (const auto pages = disk.contains("unreadable_pages") ? count_of(disk, "unreadable_pages") : 0;
      pages > 0)
    out += fmt::format(
        "  {} places of it CANNOT BE READ: what they held and nothing else is lost; have it looked at\n",
        pages);
  return out;
}

// Names of two signals may be equal: they are told apart where there are two.
bool several_signals(const json::array& destinations) {
  return std::ranges::any_of(destinations, [&](const json::value& d) {
    return text_of(d.as_object(), "signal") != text_of(destinations.front().as_object(), "signal");
  });
}

std::string destinations_text(const json::array& destinations, double now) {
  const bool several = several_signals(destinations);
  std::vector<std::vector<std::string>> rows{
      {"destination", "state", "for", "backlog", "bytes", "oldest", "samples/s", "done in", "parked"}};
  if (several) rows.front()[6] = "items/s";
  std::string errors;
  for (const auto& value : destinations) {
    const auto& d = value.as_object();
    const auto rate = number_of(d, "replay_samples_per_second");
    const std::string name = several ? fmt::format("{}/{}", text_of(d, "signal"), text_of(d, "name"))
                                     : std::string(text_of(d, "name"));
    rows.push_back({name, std::string(text_of(d, "state")), age(d, "since", now),
                    human_count(count_of(d, "backlog_samples")), human_bytes(count_of(d, "backlog_bytes")),
                    age(d, "oldest_timestamp", now),
                    rate > 0 ? human_count(static_cast<std::uint64_t>(rate)) : "-",
                    count_of(d, "backlog_samples") == 0 || is_null(d, "eta_seconds")
                        ? "-"
                        : human_seconds(number_of(d, "eta_seconds")),
                    human_count(count_of(d, "parked_samples"))});
    if (!is_null(d, "last_error") && !text_of(d, "last_error").empty())
      fmt::format_to(std::back_inserter(errors), "{}: last error: {} (last success: {})\n", name,
                     printable(text_of(d, "last_error")),
                     is_null(d, "last_success") ? "never" : age(d, "last_success", now) + " ago");
  }
  return aligned(rows) + errors;
}

std::uint64_t sum(const json::object& reasons) {
  std::uint64_t total = 0;
  for (const auto& entry : reasons) total += entry.value().to_number<std::uint64_t>();
  return total;
}

std::string reasons_text(std::string_view what, const json::object& reasons) {
  std::string out;
  for (const auto& entry : reasons)
    if (const auto count = entry.value().to_number<std::uint64_t>(); count > 0)
      fmt::format_to(std::back_inserter(out), "  {}: {} ({})\n", what, grouped(count),
                     std::string_view(entry.key().data(), entry.key().size()));
  return out;
}

std::string ledger_text(const json::object& ledger) {
  std::string out;
  for (const auto& entry : ledger) {
    const auto& l = entry.value().as_object();
    const auto& rejected = l.at("rejected").as_object();
    const auto& dropped = l.at("dropped").as_object();
    const auto accepted = count_of(l, "accepted");
    const auto accounted = count_of(l, "delivered") + sum(rejected) + sum(dropped) + count_of(l, "queued");
    fmt::format_to(std::back_inserter(out),
                   "{}: accepted {} = delivered {} + rejected {} + dropped {} + queued {}: {}\n",
                   std::string_view(entry.key().data(), entry.key().size()), grouped(accepted),
                   grouped(count_of(l, "delivered")), grouped(sum(rejected)), grouped(sum(dropped)),
                   grouped(count_of(l, "queued")),
                   accepted == accounted && l.at("in_balance").as_bool()
                       ? "in balance"
                       : fmt::format("NOT IN BALANCE, {} accounted for", grouped(accounted)));
    out += reasons_text("rejected", rejected);
    out += reasons_text("dropped", dropped);
  }
  return out;
}

// One sender is everybody's: what it sent is what came in. A tenant that it names is said all the same.
std::string senders_text(const json::object& answer, double now) {
  const auto& senders = answer.at("senders").as_array();
  std::vector<std::vector<std::string>> rows{
      {"sender", "requests", "samples", "bytes", "refused", "last request"}};
  std::string remarks;
  auto to = std::back_inserter(remarks);
  for (const auto& value : senders) {
    const auto& s = value.as_object();
    const std::string address = printable(text_of(s, "address"));
    rows.push_back({address, human_count(count_of(s, "requests")), human_count(count_of(s, "samples")),
                    human_bytes(count_of(s, "bytes")), human_count(count_of(s, "refused")),
                    age(s, "last_request_timestamp", now)});
    if (senders.size() > 1 && !is_null(s, "last_error"))
      fmt::format_to(to, "{}: last error: {} ({} ago)\n", address, printable(text_of(s, "last_error")),
                     age(s, "last_error_timestamp", now));
    for (const auto& header : s.at("tenant_headers").as_object())
      fmt::format_to(to, "{}: {} of its requests name a tenant in {}, which is NOT PASSED ON\n", address,
                     grouped(header.value().to_number<std::uint64_t>()),
                     std::string_view(header.key().data(), header.key().size()));
  }
  if (senders.size() < 2) return remarks.empty() ? remarks : "\n" + remarks;
  const auto known = count_of(answer, "known");
  if (known > senders.size()) fmt::format_to(to, "and {} smaller ones\n", grouped(known - senders.size()));
  return "\n" + aligned(rows) + remarks;
}

// An agent that was started before it said so has none.
std::string place_of(const json::object& build) {
  if (!build.contains("node") || !build.contains("cluster")) return {};
  return fmt::format(" on {} of {}", printable(text_of(build, "node")), printable(text_of(build, "cluster")));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 300));
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return out;
}

Result<std::string> status_table(const StatusAnswers& answers, double now) try {
  const auto build = json::parse(answers.buildinfo).as_object();
  std::string out = fmt::format("tideover {} ({}){}\n\n", text_of(build, "version"),
                                text_of(build, "revision"), place_of(build));
  const auto buffer = json::parse(answers.buffer);
  out += readiness_text(buffer.as_object());
  for (const auto& entry : buffer.at("signals").as_object())
    out += buffer_text({entry.key().data(), entry.key().size()}, entry.value().as_object(), now);
  if (!buffer.at("disk").is_null()) out += disk_text(buffer.at("disk").as_object());
  const auto destinations = json::parse(answers.destinations);
  out += "\n" + destinations_text(destinations.at("destinations").as_array(), now);
  if (!answers.senders.empty()) out += senders_text(json::parse(answers.senders).as_object(), now);
  const auto ledger = json::parse(answers.ledger);
  for (const auto& entry : ledger.as_object()) {
    const std::string_view signal(entry.key().data(), entry.key().size());
    out += fmt::format("\nledger of {}, in {}\n", signal, units_of(signal)) +
           ledger_text(entry.value().as_object());
  }
  return out;
} catch (const std::exception& error) {
  return fail(
      Errc::bad_input,
      fmt::format("the agent's answer is not understood ({}): is it of another version?", error.what()));
}

std::vector<std::string> listening_addresses(const std::string& body) try {
  std::vector<std::string> addresses;
  const auto answer = json::parse(body);
  for (const auto& value : answer.at("listening").as_array()) addresses.emplace_back(view(value.as_string()));
  return addresses;
} catch (const std::exception&) {
  return {};
}

Result<std::vector<std::string>> destination_names(const std::string& body, std::string_view signal) try {
  std::vector<std::string> names;
  const auto answer = json::parse(body);
  for (const auto& value : answer.at("destinations").as_array())
    if (signal.empty() || text_of(value.as_object(), "signal") == signal)
      names.emplace_back(text_of(value.as_object(), "name"));
  return names;
} catch (const std::exception& error) {
  return fail(Errc::bad_input, fmt::format("the agent's answer is not understood ({})", error.what()));
}

Result<std::string> status_json(const StatusAnswers& answers) try {
  json::object all{{"buildinfo", json::parse(answers.buildinfo)},
                   {"buffer", json::parse(answers.buffer)},
                   {"destinations", json::parse(answers.destinations)},
                   {"ledger", json::parse(answers.ledger)}};
  if (!answers.senders.empty()) all["senders"] = json::parse(answers.senders).at("senders");
  return plain_json(all) + "\n";
} catch (const std::exception& error) {
  return fail(Errc::bad_input, fmt::format("the agent's answer is not JSON ({})", error.what()));
}

}  // namespace tideover::cli
