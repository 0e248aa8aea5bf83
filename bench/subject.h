// The agents that can be measured, and how each is configured and started.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "forwarders/remote_write/remote_write.h"
#include "wal/base/result.h"

namespace tideover::bench {

enum class SubjectKind { tideover, prometheus, prometheus_tuned };

std::string_view name_of(SubjectKind kind);

struct SubjectOptions {
  std::filesystem::path tideover = "build/release/tideover";
  std::filesystem::path prometheus = "prometheus";
  remote_write::Version version = remote_write::Version::v1;  // in which to forward
  std::uint16_t sink_port = 0;
  std::string max_bytes = "4GiB";  // tideover's budget
};

struct Subject {
  std::vector<std::string> command;
  std::uint16_t write_port = 0;
  std::string write_target;
  std::uint16_t ready_port = 0;
  std::string ready_target;
};

// Writes its configuration into `directory`, where it also keeps its data. Errors: io_error.
Result<Subject> set_up(SubjectKind kind, const std::filesystem::path& directory,
                       const SubjectOptions& options);

}  // namespace tideover::bench
