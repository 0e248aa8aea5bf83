// Where a destination keeps what it has set aside: lanes of its own beside the one it reads.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace tideover::forward {

inline constexpr std::string_view kParkedLane = "parked";
inline constexpr std::string_view kQuarantineLane = "quarantine";
inline constexpr std::string_view kRejectsLane = "rejects";
inline constexpr std::array kSideLanes{kParkedLane, kQuarantineLane, kRejectsLane};

// <lane>/<kind>/<destination>
inline std::string side_lane_name(std::string_view lane, std::string_view kind,
                                  std::string_view destination) {
  std::string name(lane);
  name.append("/").append(kind).append("/").append(destination);
  return name;
}

}  // namespace tideover::forward
