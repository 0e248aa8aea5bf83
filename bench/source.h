// Where a stream's samples come from: a captured one, repeated for as long as the load lasts, or a made-up
// one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "forwarders/remote_write/remote_write.h"
#include "wal/base/result.h"

namespace tideover::bench {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The label that a churning series has beside its others, behind all of them in order. Its value is another
// one in each repetition of the stream.
inline constexpr const char* kChurnLabel = "uid";

struct Metadata {
  std::uint64_t type = 0;
  std::string help;
  std::string unit;
};

struct SourceSample {
  std::uint32_t series;
  std::uint32_t tick;  // its time within one round of the stream; grows from sample to sample of a series
  std::uint64_t value_bits;
};

// One round. The next one is the same, `ticks` ticks later.
struct Source {
  std::string name;
  std::vector<Labels> series{};      // of a churning one without kChurnLabel
  std::vector<Metadata> metadata{};  // by series, or empty; only Remote Write 2.0 sends it with each series
  std::vector<SourceSample> samples{};  // in the order in which they are sent
  std::uint32_t ticks = 0;
  std::uint32_t churning = 0;  // so many series, the first ones, are replaced with each round
};

// The float samples of tests/data/prometheus-rw1.capture.zst or -rw2. The moments of time in it are numbered,
// and the numbers are the ticks: scrapes of different targets stay apart as they were. Errors: bad_input.
Result<Source> capture_source(remote_write::Version version);

struct SyntheticOptions {
  std::uint32_t series = 20'000;
  std::uint32_t labels = 10;
  std::uint32_t label_bytes = 24;  // name and value together
  std::uint32_t rounds = 20;       // scrapes in one round of the stream; all values change with each
  double churn = 0;                // share of the series that each round of the stream replaces
};
Source synthetic_source(const SyntheticOptions& options);

}  // namespace tideover::bench
