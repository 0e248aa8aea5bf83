// Every bound of the queue, with its unit and the reason for its size.
#pragma once

#include <cstdint>

#include "wal/base/clock.h"

namespace tideover::wal {

// What one signal may take of the memory, all its lanes together.
struct SignalLimits {
  std::uint64_t group_bytes = 192 << 10;
  std::uint64_t waiting_bytes = 16 << 20;
  std::uint64_t fresh_bytes = 6 << 20;
  // The backlog that is taken whatever the file system has free: what records on their way from a healthy
  // intake to a healthy receiver occupy (the log, a table or two), no more than what RocksStore sets aside
  // for a full disk.
  std::uint64_t flow_bytes = 32 << 20;
};

// The first four are also the limits of the signal that a queue opens by itself.
struct WalLimits {
  // One group: what is lost when a single damaged byte of the newest log hits it. With one record of the
  // usual size on top it stays below RocksStore's chunk of 256 KiB, beyond which a group costs a second sync.
  std::uint64_t group_bytes = 192 << 10;
  // Appends waiting for their group; more are refused, so that a stuck disk does not fill the memory.
  std::uint64_t waiting_bytes = 16 << 20;
  // Fresh records kept in memory, so that a healthy sender never reads the disk.
  std::uint64_t tail_bytes = 6 << 20;
  std::uint64_t flow_bytes = SignalLimits().flow_bytes;  // as there
  // An acknowledgement without appends to ride with becomes durable by itself after this.
  Duration ack_delay = std::chrono::milliseconds(500);
  // Between attempts to reopen the store after a fault.
  Duration reopen_delay = std::chrono::seconds(1);
  // How often free space and held bytes are looked at when nothing else does.
  Duration usage_interval = std::chrono::seconds(1);
  // Free space that no backlog may use, in parts of the file system's size; kubelet evicts images at 15 %.
  double keep_free_ratio = 0.20;
  std::uint64_t keep_free_bytes_max = UINT64_MAX;  // and no more than this
};

}  // namespace tideover::wal
