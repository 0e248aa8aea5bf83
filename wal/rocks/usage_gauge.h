// What the store takes on the disk and in memory, and what opening it again would take. Internal to
// wal/rocks. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace tideover::wal {

class RocksHandle;
struct RocksSetup;

class UsageGauge {
 public:
  // Looked up every ten seconds: a long backlog is thousands of files.
  std::uint64_t disk_bytes(const std::string& directory);

  std::uint64_t memory_bytes() const {
    return memory_bytes_.load(std::memory_order_relaxed);
  }  // as last seen
  std::uint64_t memory_bytes(const RocksSetup& setup, const RocksHandle& handle);

 private:
  std::atomic<std::uint64_t> memory_bytes_ = 0;
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  std::atomic<std::chrono::steady_clock::rep> disk_bytes_at_ = 0;  // 0: not looked up yet
};

// Free space that an opening needs: it writes the logs into tables.
std::uint64_t room_to_open(const std::string& directory);

}  // namespace tideover::wal
