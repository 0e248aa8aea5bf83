// What the lane senders of one destination have in common: whom they serve, where what is set aside goes, and
// the figures for status. Executor: io. Life: that of their Sender, which owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "forwarders/destination.h"
#include "forwarders/http/transport.h"
#include "forwarders/lanes.h"
#include "forwarders/refusal.h"
#include "forwarders/sender_steps.h"
#include "wal/queue.h"

namespace tideover::forward {

struct LaneShared {
  wal::Queue& queue;
  const Destination& destination;
  http::Transport& transport;
  Clock& clock;
  std::string name;  // of the destination
  Duration request_time;
  const Lanes& lanes;
  std::function<void(const Refusal&)> on_refusal;

  // Who has brought the youngest of what is parked: the parked lane's own sender continues its run of records
  // as long as nobody else has put newer ones behind it.
  Role parked_last = Role::main;

  Memory memory{};  // what the destination has learned of its receiver

  // For status.
  std::string last_error{};
  std::optional<WallTime> last_success{};
  std::map<std::string, std::uint64_t> requests{};
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t sent_units = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t retries = 0;

  // Of the destination's cursor in a lane; all zero when it has none there.
  wal::CursorUsage usage_of(LaneId lane) const {
    for (wal::CursorUsage& usage : queue.cursors(lane))
      if (usage.name == name) return std::move(usage);
    return {};
  }
  wal::CursorUsage usage_of(Role role) const {
    const Lane* lane = lanes.find(role);
    return lane == nullptr ? wal::CursorUsage() : usage_of(lane->id);
  }
};

}  // namespace tideover::forward
