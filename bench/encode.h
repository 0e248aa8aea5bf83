// Samples as a write request, before compression. Timestamps are left open: the message says where they
// stand.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/source.h"
#include "forwarders/remote_write/remote_write.h"

namespace tideover::bench {

// Unix milliseconds between 1971 and 2109 take six bytes as a varint.
inline constexpr std::size_t kTimeBytes = 6;

struct OpenMessage {
  struct Time {
    std::uint32_t offset;  // of the first of its kTimeBytes bytes
    std::uint32_t tick;
  };
  std::string bytes;
  std::vector<Time> times;
};

// One series per sample, as Prometheus sends them.
OpenMessage encode(const Source& source, std::span<const SourceSample> samples,
                   remote_write::Version version);

}  // namespace tideover::bench
