// The lanes that one destination reads: the main one, then those of what it has set aside. This is the place
// that says what a role means: its lane, its budget, its cursor, and when it may send.
//
// Executor: io. Life: that of the Sender, whose queue outlives it. Lanes and cursors are durable before any
// record that is appended later.
#pragma once

#include <cstdint>
#include <vector>

#include "forwarders/sender.h"
#include "forwarders/sender_steps.h"
#include "wal/queue.h"

namespace tideover::forward {

struct Lane {
  Role role = Role::main;
  LaneId id;
  wal::CursorId cursor;
  // Of a side lane: beyond it its oldest is dropped. The main lane's budget is its signal's affair.
  std::uint64_t bytes_max = 0;
  bool gated = false;  // sends only while the main lane finds the receiver up

  // Half of its share is left: beyond that nothing more is set aside than must be.
  bool has_room(const wal::CursorUsage& usage) const { return usage.behind.bytes < bytes_max / 2; }
};

class Lanes {
 public:
  Lanes(wal::Queue& queue, const SenderOptions& options, const Destination& destination);

  const std::vector<Lane>& all() const { return lanes_; }  // the main one first
  const Lane* find(Role role) const;                       // null: the destination has no such lane
  LaneId rejects() const { return rejects_; }              // of dead letters: nobody sends them

 private:
  std::vector<Lane> lanes_;
  LaneId rejects_;
};

}  // namespace tideover::forward
