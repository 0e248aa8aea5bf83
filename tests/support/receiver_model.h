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
#include <vector>

#include "forwarders/http/message.h"
#include "tests/support/receiver_answers.h"
#include "tests/support/sample.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_faults.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/rng.h"

namespace tideover::sim {

// Hears what becomes of every sample that reaches the receiver.
class ReceiverWitness {
 public:
  virtual ~ReceiverWitness() = default;
  // A request, whatever the answer; seen() follows for each of its samples.
  virtual void arrived(const test::Contents&, remote_write::Version) {}
  virtual void seen(const Sample& sample) = 0;
  virtual void stored(const Sample& sample) = 0;  // from now on it can be read back
  virtual void refused(const Sample& sample, Refused why) = 0;
  // Two values at one time in one request: the second is dropped at commit, and the answer does not say so.
  virtual void swallowed(const Sample& sample) = 0;
};

struct ReceiverRules {
  enum class Kind : std::uint8_t {
    thanos_0_42,   // 1.0 only, though it answers 200 to 2.0; stores the valid rest and counts what it refused
    prometheus_3,  // both; a message of 1.0 whole or not at all
    cortex,        // 1.0 only, 415 to 2.0; stores the valid rest and names the first fault
  } kind = Kind::thanos_0_42;
  Duration out_of_order_window{};
  std::size_t samples_max = 0;  // 413 beyond; 0: no limit
  std::size_t bytes_max = 0;    // the same, of the decompressed message
  bool every_size_too_large = false;
  std::size_t answers_up_to = 0;    // what holds more samples is stored, and never answered; 0: no limit
  double never_admits = 0;          // how many samples are outside any window
  bool mumbles = false;             // a refusal does not say why (Prometheus, Cortex)
  std::size_t label_bytes_max = 0;  // series with a longer label value are refused for good; 0: no limit
};

// How often each fault befalls a request that arrived.
struct ReceiverFaults {
  double fails = 0;          // 500 or 503 before anything is stored
  double fails_after = 0;    // 500 or 503 although everything is stored
  double fails_partway = 0;  // 500 or 503 with some of it stored
  double chokes = 0;         // how many samples are poison: 500 for what holds one, until the next start
  double throttles = 0;      // 429, 408, 425
  double retry_after = 0;    // of `fails` and `throttles`: how many carry Retry-After
  double forbids = 0;        // 401, 403, 404, 405, 302: somebody is changing the gateway
  double refuses_type = 0;   // 415 to 1.0
  double miscounts = 0;      // the Written headers of 2.0 are missing or wrong
};

class ReceiverModel {
 public:
  // All outlive the model.
  ReceiverModel(SimClock& clock, Rng rng, SeriesTable& names, ReceiverWitness& witness, FaultCounts& happened)
      : clock_(clock), rng_(rng), names_(names), witness_(witness), happened_(happened) {}

  // Status 0: it is never answered.
  http::Response receive(const http::Request& request);

  bool outside_any_window(const Sample& sample) const;  // whatever its series is called on the way

  void set_rules(const ReceiverRules& rules) { rules_ = rules; }
  const ReceiverRules& rules() const { return rules_; }
  void set_faults(const ReceiverFaults& faults) { faults_ = faults; }

  // 503 until `ready`; what is in the head is replayed from its log, or gone with the disk.
  void restart(Time ready, bool lose_head);
  // Somebody else's sample of `ts_ms` moves the head on.
  void advance_head(std::int64_t ts_ms);
  // The sender has no memory of earlier answers.

  std::uint64_t requests() const { return requests_; }
  // Samples that it refused with a count that says it did not, and in words that name no sample; and samples
  // that its counts refused although it had stored them.
  std::uint64_t unsaid() const { return unsaid_; }
  std::uint64_t oversaid() const { return oversaid_; }

 private:
  struct Series {
    std::int64_t newest_ms = std::numeric_limits<std::int64_t>::min();
    std::map<std::int64_t, std::uint64_t> points;
  };

  http::Response take(const test::Contents& contents, const std::vector<Sample>& samples,
                      std::size_t raw_bytes, bool version2);
  http::Response mumbled(http::Response response);
  bool befalls(double often, Fault fault);
  bool chokes_on(const Sample& sample) const;
  std::optional<http::Response> misbehave();
  std::optional<http::Response> too_large(const std::vector<Sample>& samples, std::size_t raw_bytes);
  std::optional<http::Response> other_type(bool version2);
  void keep_some(std::vector<Sample>& taken);
  void miscount(http::Response& response, const Tally& tally);
  bool has_long_label(const test::LabelMap& labels) const;
  std::optional<Refused> judge(const Sample& sample, std::int64_t head_max, std::int64_t oldest_valid) const;
  void store(const Sample& sample);

  SimClock& clock_;
  Rng rng_;
  SeriesTable& names_;
  ReceiverWitness& witness_;
  FaultCounts& happened_;
  ReceiverRules rules_;
  ReceiverFaults faults_;
  Time ready_{};
  std::int64_t head_max_ms_ = std::numeric_limits<std::int64_t>::min();
  std::map<SeriesId, Series> head_;
  std::uint64_t starts_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t unsaid_ = 0;
  std::uint64_t oversaid_ = 0;
};

}  // namespace tideover::sim
