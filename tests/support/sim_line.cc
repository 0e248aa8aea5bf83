#include "tests/support/sim_line.h"

#include <algorithm>
#include <chrono>

namespace tideover::sim {
namespace {

constexpr std::uint64_t kPacketBytes = 1448;
constexpr Duration kLastLostMin = std::chrono::milliseconds(200);  // Linux' least retransmission timeout

}  // namespace

Duration SimLine::carry(Time now, std::uint64_t bytes) {
  const auto seconds = [](double s) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
  };
  const std::uint64_t packets = bytes / kPacketBytes + 1;
  Duration time = seconds(static_cast<double>(bytes) / options_.bytes_per_s);
  for (std::uint64_t i = 0; options_.loss > 0 && i < packets; ++i) {
    while (rng_.chance(options_.loss)) {
      ++packets_lost_;
      const bool last = i + 1 == packets;
      time += last ? std::max(kLastLostMin, 2 * options_.round_trip) : options_.round_trip;
      time += seconds(kPacketBytes / options_.bytes_per_s);
    }
  }
  const Time begins = std::max(now, free_at_);
  free_at_ = begins + time;
  carried_ += bytes;
  busy_ += time;
  longest_ = std::max(longest_, time);
  return free_at_ - now + options_.round_trip / 2;
}

}  // namespace tideover::sim
