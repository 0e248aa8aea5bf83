// The configuration as the agent uses it: plain values, checked.
//
// Names, defaults and bounds stand in one table, schema.cc; what a value means to an operator stands there
// too. A default-constructed Config is only the empty vessel that the table fills.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/values.h"
#include "agent/log/line.h"

namespace tideover::config {

struct Tls {
  std::string ca_file;  // empty: the system's authorities
  std::string cert_file;
  std::string key_file;
  std::string server_name;  // empty: the URL's host
};

struct BasicAuth {
  std::string username;
  std::string password_file;
};

struct Auth {  // at most one of the two
  std::string bearer_file;
  std::optional<BasicAuth> basic;
};

enum class From { now, oldest };

struct Destination {
  std::string name;  // of the durable cursor
  Url url;
  std::string tenant;  // empty: no tenant header
  bool required = false;
  From from = From::now;
  std::optional<Milliseconds> out_of_order_window;
  Milliseconds request_timeout{};
  Count request_max_items;  // samples, lines
  Size request_max_bytes;   // before compression
  std::optional<Size> max_bytes_per_second;
  std::map<std::string, std::string> headers;
  Tls tls;
  Auth auth;
};

struct Metrics {
  Address listen;
  std::optional<Size> max_bytes;  // absent: default_max_bytes() of the data directory's file system
  std::string cluster_label;      // empty: none; otherwise among external_labels, as is
  std::string node_label;         // this
  std::map<std::string, std::string> external_labels;
  std::vector<Destination> destinations;
};

// A rule of relabelling as it is written; agent/relabel says what it means.
struct Relabel {
  std::vector<std::string> source_labels;
  std::string separator;
  std::string regex;
  Count modulus;
  std::string target_label;
  std::string replacement;
  std::string action;
};

// Lines of logs, read from files and pushed by clients.
struct Logs {
  std::vector<std::string> files;  // DIRECTORY/*/*/*.log: the logs of pods; none: nothing is read
  std::vector<Relabel> relabel;    // of lines that are read
  Address listen;
  std::optional<Size> max_bytes;  // as Metrics::max_bytes
  std::vector<Destination> destinations;
};

struct Disk {
  std::optional<Percentage> keep_free;  // absent: see keep_free()
};

struct Memory {
  std::optional<Size> limit;  // absent: from the cgroup, when the agent starts
};

struct Admin {
  Address listen;
};

struct Log {
  log::Format format = log::Format::logfmt;
  log::Level level = log::Level::info;
};

struct Config {
  std::string cluster;
  std::string node;
  std::string data_dir;
  Milliseconds guarantee{};
  Disk disk;
  Memory memory;
  Admin admin;
  std::optional<Metrics> metrics;  // absent: the signal is off
  std::optional<Logs> logs;        // likewise
  Log log;
};

// The destinations of all signals that are on. They live as long as the configuration.
struct Named {
  std::string_view signal;
  const Destination* destination;
};
std::vector<Named> destinations_of(const Config& config);

// A tenth of the file system, at most `most`; as much where it does not say its size (ramfs), since 0 is no
// budget.
inline constexpr Size kMostForMetrics{4ULL << 30};
inline constexpr Size kMostForLogs{2ULL << 30};
Size default_max_bytes(Size file_system, Size most);

// What a backlog leaves free of the file system: a share of it, and no more than `most`.
struct KeepFree {
  Percentage share;
  Size most;

  std::uint64_t of(Size file_system) const;
};
// As written; otherwise a fifth, since kubelet evicts by share, and where no kubelet does no more than 4 GiB.
KeepFree keep_free(const Disk& disk, bool kubernetes);

}  // namespace tideover::config
