// What a run of worlds reached: every verdict, state, reason, answer and error that production can have, and
// every fault that the simulator knows.
//
// The list is complete by construction. Its items are the enumerators of the production enums, by way of
// switches without `default`: a new one does not compile until it has a name here, and is unreached until
// some seed reaches it. What no seed can reach is excused, with the reason, in one place (coverage.cc).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/ingest/metrics.h"
#include "forwarders/destination.h"
#include "forwarders/sender.h"
#include "forwarders/thanos/versions.h"
#include "tests/support/sim_faults.h"
#include "wal/queue.h"

namespace tideover::sim {

enum class Recovery : std::uint8_t {
  fresh,            // the first life
  after_crash,      // with records of an earlier one
  after_stop,       // the same, ended in order
  fault,            // a commit failed
  reopened,         // and the store came back without a restart
  fault_at_start,   // it did not open at once
  damage_passed,    // damaged records were skipped and counted
  drained_in_full,  // all that was promised had arrived at the end
};

class Coverage {
 public:
  void hit(forward::State state);
  void hit(wal::Keep keep);
  void hit(wal::StartAt start);
  void hit(const forward::Sent& sent, const forward::Verdict& verdict, const forward::History& history,
           const thanos::Versions& versions);
  void hit(const ingest::IntakeMetrics& metrics);
  void hit(const forward::SenderStatus& status);
  void hit(const FaultCounts& faults);
  void hit_refusal(Errc code);    // admission
  void hit_transport(Errc code);  // instead of an answer
  void hit_recovery(Recovery recovery);
  void merge(const Coverage& other);

  struct Item {
    std::string group;
    std::string name;
    std::uint64_t times = 0;
    std::string_view excuse;  // why no seed can reach it; empty: one must

    bool missing() const { return times == 0 && excuse.empty(); }
    bool needless() const { return times > 0 && !excuse.empty(); }  // an excuse for what was reached
  };
  std::vector<Item> items() const;  // all there are
  bool complete() const;

  std::string text() const;
  std::string json() const;

 private:
  void add(std::string_view group, std::string_view name, std::uint64_t times = 1);

  std::map<std::pair<std::string, std::string>, std::uint64_t> times_;
};

}  // namespace tideover::sim
