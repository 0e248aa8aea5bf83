// Why the server itself turns a request away: a closed set, each with its count and its name in the metrics.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tideover::server {

enum class Refusal : std::uint8_t {
  connections,  // 503: all connections are at work
  crowded_out,  // closed in the midst of a request that came slowly, for another client's connection
  slow,         // 503: it did not come in its time
  over_budget,  // 503: no room for its body, and none that came slower
  gave_way,     // 503: its body came slowest of all when there was no room for another
  stopping,     // 503: it was still arriving when the server stopped or restarted
  too_large,    // 413, 431
  bad_request,  // 400: no HTTP
  not_found,    // 404
  method,       // 405
  expectation,  // 417
  failed,       // 500: its handler threw
};
inline constexpr std::size_t kRefusals = 12;

inline constexpr std::array<std::string_view, kRefusals> kRefusalNames = {
    "connections", "crowded_out", "slow",      "over_budget", "gave_way",    "stopping",
    "too_large",   "bad_request", "not_found", "method",      "expectation", "failed"};

struct RefusalCounts {
  std::array<std::uint64_t, kRefusals> counts{};

  std::uint64_t& operator[](Refusal why) { return counts[static_cast<std::size_t>(why)]; }
  std::uint64_t operator[](Refusal why) const { return counts[static_cast<std::size_t>(why)]; }
};

}  // namespace tideover::server
