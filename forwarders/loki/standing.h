// What is known of the streams that a Loki has, and so which of them may share a push.
//
// Of the streams of one push that reach one ingester, only the refusal of the last one is answered: what is
// refused before it is gone behind a 204 (seen on Loki's main of August 2026, one process; pkg/ingester/
// instance.go keeps one error). So a 204 proves the last stream of its push alone, and a stream that may be
// refused travels alone or as the last of its push. A stream is *sure* while nothing that an ingester checks
// can have turned against it:
//   - it was proven a short while ago, so the ingester has it, within its number of streams;
//   - its entries are not far behind the newest that it has (the window is an hour, max_chunk_age / 2);
//   - it sends far less than its own rate limit allows (3 MB/s; sharding begins at half of it);
//   - nothing was refused, and nothing failed, since it was proven.
// Pure. One for each destination and tenant, in memory alone: after a restart every stream is proven anew.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "wal/base/clock.h"

namespace tideover::loki {

struct StandingLimits {
  Duration proof_life = std::chrono::minutes(10);  // an ingester forgets what is idle for half an hour
  Duration renew_after = std::chrono::minutes(2);  // then it is put last when there is a choice
  std::int64_t behind_ns = 30LL * 60 * 1'000'000'000;
  std::uint64_t bytes_per_window = 2 << 20;
  Duration window = std::chrono::seconds(4);
  std::size_t streams = 16'384;  // remembered; beyond them, those proven longest ago are forgotten
};

// One stream of a batch, as far as it matters here.
struct Candidate {
  std::uint64_t hash = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest_ns = 0;
  std::int64_t newest_ns = 0;
};

class Standing {
 public:
  explicit Standing(const StandingLimits& limits = {}) : limits_(limits) {}

  bool sure(const Candidate& stream, Time now) const;

  // In which order the streams of a batch are best sent, as indices into it: those that are sure first, so
  // that all of them share the push of the first that is not.
  std::vector<std::size_t> order(std::span<const Candidate> batch, Time now) const;

  void stored(std::span<const Candidate> push, Time now);  // a 204 for these, in this order
  void doubt() { known_.clear(); }                         // a refusal, or no success

  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    Time proven{};
    std::int64_t newest_ns = 0;
    Time window_begun{};
    std::uint64_t window_bytes = 0;
  };

  void make_room();

  StandingLimits limits_;
  std::unordered_map<std::uint64_t, Known> known_;
};

}  // namespace tideover::loki
