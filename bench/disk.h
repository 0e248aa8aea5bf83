// What a run does to the disk, as the file system and the block device see it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "wal/base/result.h"

namespace tideover::bench {

// Errors: bad_input when `directory` lies in memory (tmpfs, ramfs), where a sync costs nothing and says
// nothing.
Result<void> must_be_on_disk(const std::filesystem::path& directory);

std::uint64_t stored_bytes(const std::filesystem::path& directory);  // blocks of the files below it

// Of the whole device under a directory, whoever caused it; zeros where the kernel does not tell.
struct DeviceCounters {
  std::uint64_t flushes = 0;  // of the device's cache; syncs that met in one flush count once
  std::uint64_t written_bytes = 0;
};
DeviceCounters device_counters(const std::filesystem::path& directory);

}  // namespace tideover::bench
