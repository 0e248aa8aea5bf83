// The account that the simulator keeps of every sample, from what crosses the agent's borders alone: what
// sources were promised, what the disk holds, what the receivers took or refused. It never asks the agent.
//
// A destination owes every sample that was promised and lies in a record behind its durable cursor, from the
// place on at which the cursor began. It is held by the records that a restart would deliver: those of the
// lane that the cursor has not passed, and those parked or quarantined for it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "forwarders/remote_write/message.h"
#include "tests/sim/disk.h"
#include "tests/support/receiver_model.h"
#include "tests/support/sample.h"
#include "wal/queue.h"
#include "wal/queue_state.h"

namespace tideover::sim {

// What must be true of a run, summed up for the tests and the log; of one destination, or of all.
struct Account {
  std::uint64_t offered = 0;       // samples that sources sent at least once
  std::uint64_t acknowledged = 0;  // of them, promised
  std::uint64_t stored = 0;        // of them, at the receiver
  std::uint64_t refused = 0;       // promised, and refused by the receiver for good
  std::uint64_t swallowed = 0;     // promised, and dropped by the receiver without a word
  std::uint64_t damaged = 0;       // promised, and in a record that the test damaged
  std::uint64_t dropped = 0;       // promised, and given up to keep a budget
  std::uint64_t outstanding = 0;   // promised, and none of these
  std::uint64_t extra = 0;         // stored although never promised: the answer got lost
  std::uint64_t duplicates = 0;    // arrivals of what had been stored before

  Account& operator+=(const Account& other);
};

// Budgets, in bytes; 0: none.
struct Shares {
  std::uint64_t lane = 0;
  std::uint64_t parked = 0;
  std::uint64_t quarantine = 0;
};

class Oracle final : public DiskWitness {
 public:
  using SiteId = std::size_t;

  explicit Oracle(std::string lane);
  ~Oracle() override;

  // From the sources.
  void set_external_labels(const remote_write::ExternalLabels& labels) { external_labels_ = labels; }
  void offered(const test::Contents& contents);
  void acknowledged(const std::vector<Sample>& samples);
  void expect_disorder(SeriesId series) { unruly_.insert(series); }  // its source says two values at one time
  Sample sample_of(const test::Point& point) { return sim::sample_of(point, names_); }

  // From the receivers. Each one belongs to one destination, by name.
  SiteId add_site(std::string destination);
  ReceiverWitness& witness(SiteId site);

  // From the disk.
  void committed(const wal::StoreBatch& batch) override;
  void released(LaneId lane, const wal::Released& released) override;
  void lost(LaneId lane, Seq seq) override { damaged(lane, seq); }
  void damaged(LaneId lane, Seq seq);
  std::optional<Seq> any_intact_record(LaneId lane, Rng& chance) const;

  // From the operator: an agent begins to serve with these. Whoever is missing is best effort from now on.
  struct Promise {
    std::string name;
    bool required = true;
    wal::StartAt start = wal::StartAt::now;
  };
  void below_floor(bool below) { below_floor_ = below; }
  void serving(const std::vector<Promise>& promises, const Shares& shares);

  void violation(std::string sentence);  // keeps the first few
  const std::vector<std::string>& violations() const { return violations_; }

  Account account() const;                                        // of all destinations that there ever were
  Account account(const std::string& destination) const;          // of all lives of its cursor
  Account account_of_open(const std::string& destination) const;  // since an operator last gave it up
  bool settled() const;  // nothing is outstanding at a destination that is configured
  std::uint64_t outstanding() const;
  std::uint64_t outstanding(const std::string& destination,
                            const std::function<bool(const Sample&)>& which) const;
  bool remembers(const std::string& destination) const;  // it has a durable cursor

  // Of an open destination, in samples of records: what it was given, what the receivers refused (for
  // good; and of that, what they did not have, or what came in two records, each of them a first attempt),
  // what the test damaged and what it dropped.
  struct Figures {
    std::uint64_t accepted = 0;
    std::uint64_t refusals = 0;
    std::uint64_t refusals_of_fresh = 0;
    std::uint64_t damaged = 0;
    std::uint64_t dropped = 0;
  };
  const Figures& figures(const std::string& destination) const;
  // Promised samples whose records were damaged, and of which nothing else is known: not at the receiver, nor
  // refused, nor dropped.
  std::uint64_t gone_by_damage(const std::string& destination) const;

  std::uint64_t held_bytes() const { return held_bytes_; }  // by all lanes
  std::uint64_t held_bytes(LaneId lane) const;              // as far as not given back
  std::uint64_t trace() const { return trace_; }            // digest of all that was heard so far
  std::string describe(const Sample& sample) const;

  SeriesTable& names() { return names_; }

 private:
  Account account_of(std::size_t d) const;

  static constexpr std::size_t kDestinationsMax = 8;  // cursors that there ever were
  static constexpr std::size_t kSitesMax = 16;

  // What one destination has to do with one sample.
  struct Debt {
    std::uint16_t held = 0;     // durable records of its own that contain it
    bool owed : 1 = false;      // was in one, ever
    bool repeated : 1 = false;  // in more than one, ever, of the lane
    bool sidelined : 1 = false;
    bool overtaken : 1 = false;
    bool stored : 1 = false;
    bool refused : 1 = false;    // for good
    bool swallowed : 1 = false;  // by the receiver, which did not say so
    bool damaged : 1 = false;
    bool dropped : 1 = false;

    bool settled() const { return stored || refused || swallowed || damaged || dropped; }
  };
  struct Fate {
    bool promised = false;
    bool covered = false;  // in some durable record, ever
    std::uint16_t seen_at = 0;
    std::uint16_t stored_at = 0;
    std::uint64_t rank = 0;  // in its series
    std::int64_t start_ms = 0;
    std::array<Debt, kDestinationsMax> debts{};

    bool outstanding(std::size_t d) const { return promised && debts[d].owed && !debts[d].settled(); }
  };
  struct SampleHash {
    std::size_t operator()(const Sample& sample) const;
  };
  struct Held {
    std::vector<Sample> samples;
    std::uint64_t bytes = 0;
    bool damaged = false;
  };
  // One life of a durable cursor, side lanes included.
  struct Destination {
    std::string name;
    bool open = true;        // until an operator drops it
    bool configured = true;  // else best effort
    bool required = true;
    bool durable = false;  // its cursor is on the disk
    bool from_oldest = false;
    std::map<LaneId, Seq> places;  // by lane: the first record not passed
    // Of the main lane: what came while it was not configured is none of its own.
    std::vector<wal::SeqRange> absences;  // ascending; the last one may have no end
    Figures figures;
    std::uint64_t outstanding = 0;
    std::uint64_t duplicates = 0;
  };
  class Site;

  // Changes a fate and keeps the counts of outstanding samples.
  template <class Change>
  void update(const Sample& sample, Change change) {
    Fate& fate = fates_.at(sample);
    for (std::size_t d = 0; d < destinations_.size(); ++d)
      if (fate.outstanding(d)) --destinations_[d].outstanding;
    change(fate);
    for (std::size_t d = 0; d < destinations_.size(); ++d)
      if (fate.outstanding(d)) ++destinations_[d].outstanding;
  }
  void check_not_lost(const Sample& sample, std::size_t d, std::string_view when);
  void note(std::uint64_t value);

  std::optional<std::size_t> find(const std::string& name) const;  // open ones
  void open(const Promise& promise);
  Seq needed_from(const Destination& destination) const;
  bool owns(const Destination& destination, LaneId lane, Seq seq) const;
  std::uint64_t share_of(LaneId lane) const;
  void put(const wal::StoreBatch::Put& record);
  void cover(std::size_t d, LaneId lane, const Held& held);
  void note_overtaken(std::size_t d, LaneId lane, Seq from, Seq before);
  void move(std::size_t d, LaneId lane, Seq to, std::optional<Seq> fresh);
  void close(std::size_t d);
  void born(std::size_t d, Seq at);

  void arrived(Site& site, const test::Contents& contents, remote_write::Version version);
  void seen(Site& site, const Sample& sample);
  void refused(Site& site, const Sample& sample, Refused why);
  Sample home(const Sample& sample) const;  // as the source sent it
  std::map<std::string, std::string> abroad(std::map<std::string, std::string> labels) const;

  const std::string lane_name_;
  const LaneId lane_;
  remote_write::ExternalLabels external_labels_;
  Shares shares_;
  bool below_floor_ = false;  // the disk, now or a moment ago
  SeriesTable names_;
  std::unordered_map<SeriesId, SeriesId> home_;  // by the series as it is sent on
  std::unordered_map<Sample, Fate, SampleHash> fates_;
  std::map<SeriesId, std::uint64_t> offered_order_;  // samples of the series offered so far
  std::set<test::ExemplarPoint> exemplars_;
  std::set<std::tuple<std::int32_t, std::string, std::string>> metadata_;  // type, help, unit
  std::map<LaneId, std::map<Seq, Held>> records_;
  std::map<LaneId, std::uint64_t> lane_bytes_;
  std::map<LaneId, Seq> tails_;
  std::set<SeriesId> unruly_;
  std::vector<Destination> destinations_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325;
  std::vector<std::string> violations_;
};

}  // namespace tideover::sim
