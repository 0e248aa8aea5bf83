// What the real receivers say of one request: the words and headers of Thanos Receive 0.42, Prometheus 3 and
// Cortex. Pure; what becomes of the samples is decided in receiver_model.cc.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <string>

#include "forwarders/http/message.h"

namespace tideover::sim {

enum class Refused : std::uint8_t {
  out_of_bounds,  // older than a head without out-of-order window takes: may be accepted after a restart
  too_old,        // older than the window: the same
  out_of_order,   // its series has newer ones: only somebody who reorders hears it
  duplicate,      // the rest is final
  labels,
  too_large,  // the sample alone is more than the receiver takes
};
inline constexpr std::size_t kRefusals = 6;

// What became of the samples of one request.
struct Tally {
  std::array<std::uint64_t, kRefusals> refused{};  // by Refused
  std::uint64_t written_floats = 0;
  std::uint64_t written_histograms = 0;
  std::uint64_t written_exemplars = 0;

  std::uint64_t total_refused() const {
    return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
  }
};

http::Response plain(int status, std::string text);

http::Response answer_of_thanos(const Tally& tally);
http::Response answer_of_prometheus(const Tally& tally, bool version2);  // of 2.0 with its counts
http::Response answer_of_cortex(const Tally& tally);

inline constexpr std::array<const char*, 3> kWrittenHeaders{"X-Prometheus-Remote-Write-Samples-Written",
                                                            "X-Prometheus-Remote-Write-Histograms-Written",
                                                            "X-Prometheus-Remote-Write-Exemplars-Written"};

}  // namespace tideover::sim
