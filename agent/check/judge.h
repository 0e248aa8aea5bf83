// What the facts of a node mean for the agent that is to run there. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/check/facts.h"
#include "agent/check/finding.h"
#include "agent/config/config.h"
#include "agent/home.h"

namespace tideover::check {

Finding judge_directory(const std::string& path, const DirectoryFacts& facts);
Finding judge_store_directory(const std::string& path, const DirectoryFacts& facts);
Finding judge_lock(const std::string& data_dir, const std::optional<std::string>& holder);
Finding judge_socket(const std::string& path, AtSocket what);
Findings judge_disk(const config::Config& config, const std::optional<DiskFacts>& facts,
                    bool kubernetes = true);
Finding judge_clock(const ClockFacts& facts);
Finding judge_memory(const config::Config& config, std::optional<std::uint64_t> cgroup_limit,
                     std::size_t listeners = 1);

enum class Secrecy { secret, open };  // a key or a token, against a certificate
Finding judge_file(const std::string& subject, const std::string& path, const FileFacts& facts,
                   Secrecy secrecy);

// A directory of logs: `trouble` is why it cannot be listed, in the system's words; empty: it can.
Finding judge_logs(const std::string& path, const std::string& trouble);

// Of a url that names no path.
Finding judge_path(const config::Named& named);

// What a receiver must accept so that the replay of the longest promised outage fits its window.
config::Milliseconds window_needed(config::Milliseconds guarantee);
Finding judge_window(const config::Destination& destination, config::Milliseconds guarantee);

// Cursors that the buffer keeps for destinations that the configuration does not name any more.
Findings judge_cursors(const config::Config& config, const std::vector<std::string>& cursors);

}  // namespace tideover::check
