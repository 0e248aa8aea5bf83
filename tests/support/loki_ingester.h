// One ingester of the model of Loki: streams in memory, their order window, rates and number.
//
// Sources: Loki's pkg/ingester/instance.go (Push, createStream), pkg/ingester/stream.go (validateEntries,
// storeEntries, errorForFailedEntries), pkg/ingester/limiter.go, pkg/chunkenc/unordered.go; and a real one
// (main of August 2026), where the two differ.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/loki_limits.h"
#include "tests/support/loki_push.h"
#include "tests/support/token_bucket.h"

namespace tideover::test {

// What became of one stream of a push. Status 0: all of it is stored, or was known.
struct LokiStreamFate {
  int status = 0;
  std::string text;
  std::map<std::string, std::uint64_t> discarded;  // entries, by reason
  std::vector<LokiEntry> stored;
  std::uint64_t duplicates = 0;
};

class LokiIngester {
 public:
  // `labels` as Loki prints them. `streams_max`: of this ingester and tenant.
  LokiStreamFate push(const std::string& tenant, const std::string& labels,
                      const std::vector<LokiEntry>& entries, const LokiLimits& limits, std::int64_t now_ns);
  std::size_t streams(const std::string& tenant, const LokiLimits& limits, std::int64_t now_ns);
  void restart() { tenants_.clear(); }  // without its log

 private:
  struct Stream {
    TokenBucket rate;
    LokiEntry last;
    bool has_last = false;
    std::int64_t highest_ns = 0;
    std::int64_t touched_ns = 0;
    std::set<std::tuple<std::int64_t, std::string, LokiPairs>> block;
    std::size_t block_bytes = 0;
  };
  struct Failure {
    const LokiEntry* entry;
    bool rate;  // or too far behind
    std::string why;
  };
  using Streams = std::map<std::string, Stream>;

  void drop_idle(Streams& streams, const LokiLimits& limits, std::int64_t now_ns);
  LokiStreamFate append(Stream& stream, const std::string& tenant, const std::string& labels,
                        const std::vector<LokiEntry>& entries, const LokiLimits& limits, std::int64_t now_ns);
  static void store(Stream& stream, const LokiEntry& entry, const LokiLimits& limits, LokiStreamFate& fate);

  std::map<std::string, Streams> tenants_;
};

std::size_t loki_bytes(const LokiEntry& entry);  // as Loki counts an entry: line and metadata
std::string loki_time(std::int64_t ns);          // 2026-10-07T01:35:32Z

}  // namespace tideover::test
