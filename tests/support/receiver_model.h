// A receiver of remote write with the rules of the real ones, as far as a sender can tell.
//
// Sources: Prometheus' tsdb/head_append.go (what a head takes), Thanos' pkg/receive/writer.go and handler.go
// (what it says), and answers seen from Thanos Receive 0.42 and Prometheus 3.15. It decodes with the
// generated protobuf code, never with the scanner under test.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "forwarders/http/message.h"
#include "tests/support/sample.h"
#include "tests/support/sim_clock.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/rng.h"

namespace tideover::sim {

enum class Refused : std::uint8_t {
  out_of_bounds,  // older than a head without out-of-order window takes: may be accepted after a restart
  too_old,        // older than the window: the same
  out_of_order,   // its series has newer ones: only somebody who reorders hears it
  duplicate,      // the rest is final
  labels,
};

// Hears what becomes of every sample that reaches the receiver.
class ReceiverWitness {
 public:
  virtual ~ReceiverWitness() = default;
  virtual void seen(const Sample& sample) = 0;    // in a request, whatever the answer
  virtual void stored(const Sample& sample) = 0;  // from now on it can be read back
  virtual void refused(const Sample& sample, Refused why) = 0;
  // Two values at one time in one request: the second is dropped at commit, and the answer does not say so.
  virtual void swallowed(const Sample& sample) = 0;
};

struct ReceiverRules {
  enum class Kind : std::uint8_t { thanos_0_42, prometheus_3 } kind = Kind::thanos_0_42;
  Duration out_of_order_window{};
  std::size_t samples_max = 0;  // 413 beyond; 0: no limit
};

// How often each fault befalls a request that arrived.
struct ReceiverFaults {
  double fails = 0;        // 500 or 503 before anything is stored
  double fails_after = 0;  // 500 or 503 although everything is stored
  double throttles = 0;    // 429
  double retry_after = 0;  // of those three: how many carry Retry-After
  double forbids = 0;      // 401 or 404: somebody is changing the gateway
};

class ReceiverModel {
 public:
  // Both outlive the model.
  ReceiverModel(SimClock& clock, Rng rng, SeriesTable& names, ReceiverWitness& witness)
      : clock_(clock), rng_(rng), names_(names), witness_(witness) {}

  http::Response receive(const http::Request& request);

  void set_rules(const ReceiverRules& rules) { rules_ = rules; }
  const ReceiverRules& rules() const { return rules_; }
  void set_faults(const ReceiverFaults& faults) { faults_ = faults; }

  // 503 until `ready`; what is in the head is replayed from its log, or gone with the disk.
  void restart(Time ready, bool lose_head);
  // Somebody else's sample of `ts_ms` moves the head on.
  void advance_head(std::int64_t ts_ms);

  std::uint64_t requests() const { return requests_; }

 private:
  struct Series {
    std::int64_t newest_ms = std::numeric_limits<std::int64_t>::min();
    std::map<std::int64_t, std::uint64_t> points;
  };
  struct Tally;

  std::optional<http::Response> misbehave();
  static http::Response answer_of_thanos(const Tally& tally);
  static http::Response answer_of_prometheus(const Tally& tally, const test::Contents& contents,
                                             bool version2);
  std::optional<Refused> judge(const Sample& sample, std::int64_t head_max, std::int64_t oldest_valid) const;
  void store(const Sample& sample);

  SimClock& clock_;
  Rng rng_;
  SeriesTable& names_;
  ReceiverWitness& witness_;
  ReceiverRules rules_;
  ReceiverFaults faults_;
  Time ready_{};
  std::int64_t head_max_ms_ = std::numeric_limits<std::int64_t>::min();
  std::map<SeriesId, Series> head_;
  std::uint64_t requests_ = 0;
};

}  // namespace tideover::sim
