// Samples as a write request, before compression. What changes with each repetition of the stream is left
// open: the message says where it stands.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/source.h"
#include "forwarders/remote_write/remote_write.h"

namespace tideover::bench {

// Unix milliseconds between 1971 and 2109 take six bytes as a varint; the value of the churn label is as
// long.
inline constexpr std::size_t kOpenBytes = 6;

struct OpenMessage {
  // Stands for the repetition's number instead of a tick. No stream has as many ticks.
  static constexpr std::uint32_t kRepetition = UINT32_MAX;

  struct Slot {
    std::uint32_t offset;  // of the first of its kOpenBytes bytes
    std::uint32_t tick;    // of a timestamp, or kRepetition
  };
  std::string bytes;
  std::vector<Slot> slots;
};

// One series per sample, as Prometheus sends them.
OpenMessage encode(const Source& source, std::span<const SourceSample> samples,
                   remote_write::Version version);

// The value of the churn label in a repetition of the stream.
std::string churn_value(std::uint32_t repetition);

}  // namespace tideover::bench
