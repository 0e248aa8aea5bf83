// A line between the agent and a receiver: how much it carries, how long it is, how often it loses a packet.
//
// Requests go through one after the other, each at the line's rate, as TCP would bring them: a lost packet is
// sent again, which holds up what is behind it for a round trip, and for longer when it was the last one,
// since nothing behind it tells that it is missing. Answers are small and take the way back only.
#pragma once

#include <cstdint>

#include "wal/base/clock.h"
#include "wal/base/rng.h"

namespace tideover::sim {

struct LineOptions {
  double bytes_per_s = 0;  // 0: no line worth mentioning
  Duration round_trip{};
  double loss = 0;  // of packets
};

class SimLine {
 public:
  SimLine(const LineOptions& options, Rng rng) : options_(options), rng_(rng) {}

  bool narrow() const { return options_.bytes_per_s > 0; }
  // How long a request that is put on the line now takes to its far end.
  Duration carry(Time now, std::uint64_t bytes);
  Duration back() const { return options_.round_trip / 2; }

  std::uint64_t carried() const { return carried_; }
  Duration busy() const { return busy_; }        // in all, retransmissions included
  Duration longest() const { return longest_; }  // that one request has taken
  std::uint64_t packets_lost() const { return packets_lost_; }

 private:
  LineOptions options_;
  Rng rng_;
  Time free_at_{};
  std::uint64_t carried_ = 0;
  Duration busy_{};
  Duration longest_{};
  std::uint64_t packets_lost_ = 0;
};

}  // namespace tideover::sim
