// Where a destination keeps what it has set aside: lanes of its own beside the one it reads.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tideover::forward {

inline constexpr std::string_view kParkedLane = "parked";
inline constexpr std::string_view kQuarantineLane = "quarantine";
inline constexpr std::string_view kRejectsLane = "rejects";
inline constexpr std::array kSideLanes{kParkedLane, kQuarantineLane, kRejectsLane};

// In wal::Attributes::flags, beside the signal's own bits: what this record holds was overtaken, so that
// records before it in its lane may hold what is newer than it. It begins a run: no request holds what is
// before it and what is from it on, because a receiver may drop what is out of order inside one request, and
// answer 200 all the same (Prometheus without an out-of-order window: tsdb/head_append.go,
// headAppender.Commit). Within a run the lane is in order.
inline constexpr std::uint16_t kOvertaken = 1 << 15;

// <lane>/<kind>/<destination>
inline std::string side_lane_name(std::string_view lane, std::string_view kind,
                                  std::string_view destination) {
  std::string name(lane);
  name.append("/").append(kind).append("/").append(destination);
  return name;
}

}  // namespace tideover::forward
