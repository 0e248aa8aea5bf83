// A strict model of Loki, as far as a client of its push endpoint can tell: what it stores, what it says, and
// what it throws away without a word.
//
// Pure: the time comes in, nothing is read from a clock. Not thread-safe. Sources: Loki's
// pkg/distributor/{distributor,http,validator}.go and pkg/validation for the order of the checks and the
// words; pkg/loghttp/push/push.go for what is read before them; loki_ingester.h; and a real Loki (main of
// August 2026), which was asked each of these.
//
// What hides what: an ingester answers for the last of the streams of a push that reached it; of several
// ingesters one answers; and what an ingester says takes the place of what the distributor refused.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "forwarders/http/message.h"
#include "tests/support/loki_discards.h"
#include "tests/support/loki_ingester.h"
#include "tests/support/loki_limits.h"
#include "tests/support/loki_push.h"

namespace tideover::test {

struct LokiLine {
  std::string tenant;
  std::string labels;  // as Loki prints them, `service_name` included
  LokiEntry entry;
};

class LokiModel {
 public:
  explicit LokiModel(const LokiLimits& limits = {}) : limits_(limits) {}

  http::Response push(const std::string& tenant, const LokiPush& push, std::int64_t now_ns);

  // In the order in which it was stored. What was stored twice is here twice; a query of Loki shows it once.
  const std::vector<LokiLine>& lines() const { return lines_; }
  const LokiDiscards& discards() const { return discards_; }
  std::size_t streams(const std::string& tenant, std::int64_t now_ns);

  const LokiLimits& limits() const { return limits_; }
  void set_limits(const LokiLimits& limits) { limits_ = limits; }
  void restart();  // ingesters forget their streams, the lines stay

 private:
  struct Valid {
    std::string labels;
    std::vector<LokiEntry> entries;
  };
  struct Validated {
    std::vector<Valid> streams;
    std::vector<std::string> complaints;
    std::map<std::string, std::uint64_t> discarded;
    std::uint64_t blocked = 0;
  };

  void validate(const LokiPairs& labels, const LokiStream& stream, std::int64_t now_ns,
                Validated& so_far) const;
  http::Response ingest(const std::string& tenant, Validated validated, std::int64_t now_ns);
  std::size_t ingester_of(const std::string& tenant, const std::string& labels) const;

  LokiLimits limits_;
  std::map<std::string, TokenBucket> rates_;
  std::vector<LokiIngester> ingesters_;
  std::vector<LokiLine> lines_;
  LokiDiscards discards_;
};

}  // namespace tideover::test
