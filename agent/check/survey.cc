#include "agent/check/survey.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>

#include "agent/check/facts.h"
#include "agent/check/judge.h"
#include "agent/check/listeners.h"
#include "agent/check/reach.h"
#include "agent/data_directory.h"
#include "agent/home.h"
#include "forwarders/http/credentials.h"
#include "forwarders/http/tls_context.h"
#include "wal/base/system_clock.h"
#include "wal/store_directory.h"

namespace tideover::check {
namespace {

constexpr std::chrono::seconds kConnectPatience{5};

// What the agent itself makes of the files: its words, before the first request needs them. Empty: all is
// well.
template <class Use>
std::string tried(Use use) {
  boost::asio::io_context io;
  SystemClock clock(io);
  const auto used = use(clock);
  return used ? std::string() : used.error().detail;
}

void survey_tls(const config::Destination& destination, Findings& findings) {
  if (!destination.url.https) return;
  const auto& tls = destination.tls;
  const std::string problem = tried([&](Clock& clock) {
    http::TlsContext context({.ca_file = tls.ca_file,
                              .cert_file = tls.cert_file,
                              .key_file = tls.key_file,
                              .server_name = tls.server_name},
                             clock, [](std::string_view) {});
    return context.current();
  });
  if (!problem.empty())
    findings.push_back({Level::error, fmt::format("destination {}: tls", destination.name), problem});
}

void survey_secret(const config::Destination& destination, const char* key, const std::string& path,
                   Findings& findings) {
  Finding file = judge_file(fmt::format("destination {}: {}", destination.name, key), path,
                            look_at_file(path), Secrecy::secret);
  if (file.level != Level::error) {
    const auto& basic = destination.auth.basic;
    const http::AuthOptions options{.bearer_file = destination.auth.bearer_file,
                                    .username = basic ? basic->username : "",
                                    .password_file = basic ? basic->password_file : ""};
    const std::string problem = tried([&](Clock& clock) {
      return http::Credentials(options, clock, [](std::string_view) {}).authorization();
    });
    if (!problem.empty()) file = {Level::error, file.subject, problem};
  }
  findings.push_back(std::move(file));
}

void survey_files(const config::Destination& destination, Findings& findings) {
  const auto look = [&](const char* key, const std::string& path, Secrecy secrecy) {
    if (!path.empty())
      findings.push_back(judge_file(fmt::format("destination {}: {}", destination.name, key), path,
                                    look_at_file(path), secrecy));
  };
  look("tls.ca_file", destination.tls.ca_file, Secrecy::open);
  look("tls.cert_file", destination.tls.cert_file, Secrecy::open);
  look("tls.key_file", destination.tls.key_file, Secrecy::secret);
  survey_tls(destination, findings);
  if (!destination.auth.bearer_file.empty())
    survey_secret(destination, "auth.bearer_file", destination.auth.bearer_file, findings);
  if (destination.auth.basic)
    survey_secret(destination, "auth.basic.password_file", destination.auth.basic->password_file, findings);
}

// What is in the directory, which the agent takes over or makes. A neighbour uses it already.
void survey_store(const config::Config& config, const SurveyOptions& options, Findings& findings) {
  const auto add = [&](const Finding& finding) {
    if (finding.level != Level::ok) findings.push_back(finding);
  };
  const std::string store = present_store(config.data_dir);
  add(judge_store_directory(store, look_at_directory(store)));
  if (const auto two = two_stores(config.data_dir)) findings.push_back({Level::error, "data_dir", *two});
  if (options.neighbour) return;
  add(judge_lock(config.data_dir, wal::lock_holder(store)));
  add(judge_socket(socket_path(config.data_dir), look_at_socket(socket_path(config.data_dir))));
}

void survey_listeners(const config::Config& config, const SurveyOptions& options, Findings& findings) {
  const auto held = options.neighbour ? options.neighbour->listening : std::vector<config::Address>{};
  const auto look = [&](const char* key, const config::Address& address) {
    std::ranges::move(judge_listener(key, address, try_to_bind(address), held), std::back_inserter(findings));
  };
  look("admin.listen", config.admin.listen);
  if (config.metrics) look("metrics.listen", config.metrics->listen);
  if (config.logs) look("logs.listen", config.logs->listen);
}

void survey_logs(const config::Logs& logs, Findings& findings) {
  for (const std::string& pattern : logs.files) {
    const std::string directory = config::directory_of_logs(pattern);
    std::error_code trouble;
    const std::filesystem::directory_iterator listing(directory, trouble);
    findings.push_back(judge_logs(directory, trouble ? trouble.message() : std::string()));
  }
}

}  // namespace

Findings survey(const config::Config& config, const SurveyOptions& options) {
  Findings findings;
  findings.push_back(judge_directory(config.data_dir, look_at_directory(config.data_dir)));
  survey_store(config, options, findings);
  survey_listeners(config, options, findings);
  std::ranges::move(judge_disk(config, look_at_disk(config.data_dir), in_kubernetes()),
                    std::back_inserter(findings));
  findings.push_back(judge_clock(look_at_clock()));
  findings.push_back(judge_memory(config, cgroup_memory_limit()));
  if (config.logs) survey_logs(*config.logs, findings);
  for (const config::Named& named : config::destinations_of(config)) {
    const config::Destination& destination = *named.destination;
    survey_files(destination, findings);
    if (!destination.url.has_path) findings.push_back(judge_path(named));
    if (!options.offline) findings.push_back(reach(destination, kConnectPatience));
    if (named.signal == "metrics") findings.push_back(judge_window(destination, config.guarantee));
  }
  return findings;
}

}  // namespace tideover::check
