#include "agent/check/survey.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "agent/check/facts.h"
#include "agent/check/judge.h"
#include "agent/check/reach.h"

namespace tideover::check {
namespace {

constexpr std::chrono::seconds kConnectPatience{5};

void survey_files(const config::Destination& destination, Findings& findings) {
  const auto look = [&](const char* key, const std::string& path, Secrecy secrecy) {
    if (!path.empty())
      findings.push_back(judge_file(fmt::format("destination {}: {}", destination.name, key), path,
                                    look_at_file(path), secrecy));
  };
  look("tls.ca_file", destination.tls.ca_file, Secrecy::open);
  look("tls.cert_file", destination.tls.cert_file, Secrecy::open);
  look("tls.key_file", destination.tls.key_file, Secrecy::secret);
  look("auth.bearer_file", destination.auth.bearer_file, Secrecy::secret);
  if (destination.auth.basic)
    look("auth.basic.password_file", destination.auth.basic->password_file, Secrecy::secret);
}

}  // namespace

Findings survey(const config::Config& config, const SurveyOptions& options) {
  Findings findings;
  findings.push_back(judge_directory(config.data_dir, look_at_directory(config.data_dir)));
  std::ranges::move(judge_disk(config, look_at_disk(config.data_dir), in_kubernetes()),
                    std::back_inserter(findings));
  findings.push_back(judge_clock(look_at_clock()));
  findings.push_back(judge_memory(config, cgroup_memory_limit()));
  if (!config.metrics) return findings;
  for (const auto& destination : config.metrics->destinations) {
    survey_files(destination, findings);
    if (!options.offline) findings.push_back(reach(destination, kConnectPatience));
    findings.push_back(judge_window(destination, config.guarantee));
  }
  return findings;
}

}  // namespace tideover::check
