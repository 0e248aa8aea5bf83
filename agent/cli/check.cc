#include "agent/cli/check.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <iterator>
#include <ostream>

#include "agent/check/judge.h"
#include "agent/check/survey.h"
#include "agent/cli/admin_client.h"
#include "agent/cli/command_line.h"
#include "agent/cli/status_view.h"
#include "agent/config/load.h"

namespace tideover::cli {
namespace {

namespace json = boost::json;
using check::Finding;
using check::Findings;
using check::Level;

constexpr std::chrono::seconds kAgentPatience{2};

const char* word(Level level) {
  switch (level) {
    case Level::ok: return "ok";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "";
}

std::ptrdiff_t count(const Findings& findings, Level level) {
  return std::ranges::count(findings, level, &Finding::level);
}

std::string counted(std::ptrdiff_t n, const char* noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

json::string_view view(const std::string& text) { return {text.data(), text.size()}; }

// The faults of the file as a script reads them.
std::string faults_json(const std::string& file, const std::vector<config::Fault>& faults) {
  json::array list;
  for (const auto& fault : faults)
    list.push_back({{"level", "error"},
                    {"subject", "config"},
                    {"file", view(file)},
                    {"line", fault.place.line},
                    {"column", fault.place.column},
                    {"sentence", view(fault.sentence)}});
  return json::serialize(
             json::object{{"findings", std::move(list)}, {"errors", faults.size()}, {"warnings", 0}}) +
         "\n";
}

Finding about_config(const std::string& path, const config::Config& config) {
  const auto destinations = std::ssize(config::destinations_of(config));
  if (!config.metrics && !config.logs)
    return {Level::warning, "config",
            path + " has neither a section metrics nor a section logs: the agent would do nothing"};
  return {Level::ok, "config",
          fmt::format("{} is legal, with {}", path, counted(destinations, "destination"))};
}

AdminTarget agent_of(const config::Config& config) {
  return {.socket_path = config.data_dir + "/admin.sock", .host = {}, .port = 0};
}

// The agent that runs on this directory, if one does: it does not stand in its own way.
std::optional<check::Neighbour> ask_neighbour(const config::Config& config) {
  const auto answer = ask_admin(agent_of(config), "GET", "/api/v1/status/buildinfo", kAgentPatience);
  if (!answer || answer->status != 200) return std::nullopt;
  check::Neighbour neighbour;
  for (const auto& text : listening_addresses(answer->body))
    if (auto address = config::parse_address(text)) neighbour.listening.push_back(std::move(*address));
  return neighbour;
}

// Which cursors there are is known to the agent that runs on this directory; without one there is nothing to
// say.
Findings about_cursors(const config::Config& config) {
  const auto answer = ask_admin(agent_of(config), "GET", "/api/v1/status/destinations", kAgentPatience);
  if (!answer || answer->status != 200) return {};
  const auto names = destination_names(answer->body);
  return names ? check::judge_cursors(config, *names) : Findings{};
}

}  // namespace

std::string findings_text(const Findings& findings) {
  std::string out;
  for (const auto& finding : findings)
    out += fmt::format("{}: {}: {}\n", word(finding.level), finding.subject, finding.sentence);
  return out + fmt::format("{}, {}\n", counted(count(findings, Level::error), "error"),
                           counted(count(findings, Level::warning), "warning"));
}

std::string findings_json(const Findings& findings) {
  json::array list;
  for (const auto& finding : findings)
    list.push_back({{"level", word(finding.level)},
                    {"subject", view(finding.subject)},
                    {"sentence", view(finding.sentence)}});
  const json::object all{{"findings", std::move(list)},
                         {"errors", count(findings, Level::error)},
                         {"warnings", count(findings, Level::warning)}};
  return json::serialize(all) + "\n";
}

int check(const CheckOptions& options, std::ostream& out, std::ostream& err) {
  const auto loaded = config::load(options.config_path, {.expand_env = options.expand_env});
  if (!loaded.config) {
    if (options.json)
      out << faults_json(options.config_path, loaded.faults);
    else
      err << loaded.report;
    return kBadUsage;
  }
  Findings findings{about_config(options.config_path, *loaded.config)};
  std::ranges::move(
      check::survey(*loaded.config, {.offline = options.offline, .neighbour = ask_neighbour(*loaded.config)}),
      std::back_inserter(findings));
  std::ranges::move(about_cursors(*loaded.config), std::back_inserter(findings));
  out << (options.json ? findings_json(findings) : findings_text(findings));
  return count(findings, Level::error) == 0 ? kSuccess : kFault;
}

}  // namespace tideover::cli
