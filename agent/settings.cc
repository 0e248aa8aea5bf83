#include "agent/settings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/statvfs.h>

namespace tideover {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// The promise of the documentation; a smaller limit shrinks the buffers, a larger one changes nothing.
constexpr std::uint64_t kMemoryPromised = 128 * kMiB;
constexpr std::uint64_t kMemoryLeast = 48 * kMiB;

// cgroup v2 says "max" for no limit, v1 says a number near 2^63.
std::uint64_t read_limit(const char* path) {
  std::ifstream file(path);
  std::uint64_t bytes = 0;
  if (!(file >> bytes) || bytes > (std::uint64_t{1} << 60)) return 0;
  return bytes;
}

std::uint64_t cgroup_memory_limit() {
  const std::uint64_t v2 = read_limit("/sys/fs/cgroup/memory.max");
  return v2 != 0 ? v2 : read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

}  // namespace

NodeFacts look_at_node(const std::string& data_dir) {
  NodeFacts facts;
  facts.memory_limit_bytes = cgroup_memory_limit();
  // The directory may not exist yet: its nearest ancestor lies on the same file system.
  std::filesystem::path path = data_dir;
  struct statvfs volume {};
  while (::statvfs(path.c_str(), &volume) != 0 && path.has_relative_path()) path = path.parent_path();
  facts.file_system_bytes = static_cast<std::uint64_t>(volume.f_blocks) * volume.f_frsize;
  return facts;
}

Settings derive(const config::Config& config, const NodeFacts& node) {
  Settings settings;
  settings.wal.keep_free_ratio = config.disk.keep_free.ratio;

  std::uint64_t memory = kMemoryPromised;
  if (node.memory_limit_bytes != 0) memory = std::min(memory, node.memory_limit_bytes);
  if (config.memory.limit) memory = config.memory.limit->bytes;
  const double scale =
      static_cast<double>(std::clamp(memory, kMemoryLeast, kMemoryPromised)) / kMemoryPromised;
  const auto share = [scale](std::uint64_t bytes) {
    return static_cast<std::uint64_t>(static_cast<double>(bytes) * scale);
  };
  settings.wal.tail_bytes = share(6 * kMiB);
  settings.wal.waiting_bytes = share(16 * kMiB);
  settings.memtable_bytes = share(8 * kMiB);
  settings.intake_server.inflight_bytes = share(24 * kMiB);
  settings.intake_server.body_bytes =
      std::min<std::size_t>(settings.intake_server.body_bytes, share(16 * kMiB));

  if (config.metrics) {
    const config::Size file_system{node.file_system_bytes};
    settings.metrics_max_bytes =
        config.metrics->max_bytes.value_or(config::default_max_bytes(file_system)).bytes;
    // Data beyond the receiver's window is an operator's mistake to repair within hours: a quarter holds as
    // much as a quarter of the longest outage. Refused records are for looking at.
    settings.parked_max_bytes = settings.metrics_max_bytes / 4;
    settings.rejects_max_bytes = std::min(settings.metrics_max_bytes / 16, 16 * kMiB);
  }

  settings.admin_server.connections = 32;
  settings.admin_server.body_bytes = 64 << 10;
  settings.admin_server.inflight_bytes = kMiB;
  return settings;
}

}  // namespace tideover
