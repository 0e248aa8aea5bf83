// The account that the simulator keeps of every sample, from what crosses the agent's borders alone: what
// sources were promised, what the disk holds, what the receiver took or refused. It never asks the agent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/sim/disk.h"
#include "tests/support/receiver_model.h"
#include "tests/support/sample.h"

namespace tideover::sim {

// What must be true of a run, summed up for the tests and the log.
struct Account {
  std::uint64_t offered = 0;       // samples that sources sent at least once
  std::uint64_t acknowledged = 0;  // of them, promised
  std::uint64_t stored = 0;        // of them, at the receiver
  std::uint64_t refused = 0;       // promised, and refused by the receiver for good
  std::uint64_t swallowed = 0;     // promised, and dropped by the receiver without a word
  std::uint64_t damaged = 0;       // promised, and in a record that the test damaged
  std::uint64_t outstanding = 0;   // promised, and none of these
  std::uint64_t extra = 0;         // stored although never promised: the answer got lost
  std::uint64_t duplicates = 0;    // arrivals of what had been stored before
};

class Oracle final : public ReceiverWitness, public DiskWitness {
 public:
  // From the sources.
  void offered(const test::Contents& contents);
  void acknowledged(const std::vector<Sample>& samples);
  void expect_disorder(SeriesId series) { unruly_.insert(series); }  // its source says two values at one time
  Sample sample_of(const test::Point& point) { return sim::sample_of(point, names_); }

  // From the receiver.
  void seen(const Sample& sample) override;
  void stored(const Sample& sample) override;
  void refused(const Sample& sample, Refused why) override;
  void swallowed(const Sample& sample) override;

  // From the disk.
  void committed(const wal::StoreBatch& batch) override;
  void released(LaneId lane, Seq before) override;
  void damaged(LaneId lane, Seq seq);
  std::optional<Seq> any_intact_record(LaneId lane, Rng& chance) const;

  // The first lane holds what intake accepts; others hold what was parked, quarantined or rejected.
  void set_intake_lane(LaneId lane) { intake_lane_ = lane; }

  void violation(std::string sentence);  // keeps the first few
  const std::vector<std::string>& violations() const { return violations_; }

  Account account() const;
  bool settled() const { return outstanding_ == 0; }
  std::uint64_t accepted_units() const { return accepted_units_; }  // in records of the intake lane
  std::uint64_t refusals() const { return refusals_; }              // that the receiver said, window apart
  std::uint64_t damaged_units() const { return damaged_units_; }    // in records that the test damaged
  std::uint64_t held_bytes() const { return held_bytes_; }
  std::uint64_t trace() const { return trace_; }  // digest of all that was heard so far
  std::string describe(const Sample& sample) const;

  SeriesTable& names() { return names_; }

 private:
  struct Fate {
    std::uint32_t held = 0;  // durable records that contain it
    bool promised = false;
    bool seen = false;
    bool stored = false;
    bool refused = false;    // for good
    bool swallowed = false;  // by the receiver, which did not say so
    bool damaged = false;

    bool outstanding() const { return promised && !stored && !refused && !swallowed && !damaged; }
  };
  struct SampleHash {
    std::size_t operator()(const Sample& sample) const;
  };
  struct Held {
    std::vector<Sample> samples;
    std::uint64_t bytes = 0;
    bool damaged = false;
  };

  // Changes a fate and keeps the count of outstanding samples.
  template <class Change>
  void update(const Sample& sample, Change change);
  void check_not_lost(const Sample& sample, std::string_view when);
  void note(std::uint64_t value);

  SeriesTable names_;
  std::unordered_map<Sample, Fate, SampleHash> fates_;
  std::map<SeriesId, std::uint64_t> offered_order_;  // samples of the series offered so far
  std::unordered_map<Sample, std::uint64_t, SampleHash> rank_;
  std::map<SeriesId, std::uint64_t> newest_seen_;
  std::map<std::pair<LaneId, Seq>, Held> records_;
  std::set<SeriesId> unruly_;
  LaneId intake_lane_{};
  std::uint64_t outstanding_ = 0;
  std::uint64_t accepted_units_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t damaged_units_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325;
  std::vector<std::string> violations_;
};

}  // namespace tideover::sim
