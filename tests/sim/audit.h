// What must be true of the agent after every step, and of its own figures at the end.
//
// The oracle accounts for samples; the audit looks at the agent: its ledgers, what it uses of disk, memory
// and connections, and whether anything waits without a reason.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/agent.h"
#include "tests/sim/oracle.h"

namespace tideover::sim {

// By how much a receiver's answers were wrong: samples that it refused and did not say so, in words or
// numbers, and samples that they refused although it had stored them.
struct Lies {
  std::uint64_t unsaid = 0;
  std::uint64_t oversaid = 0;
  // It refuses what it has stored, though nobody could know: it stores the rest of what it answers 400, or a
  // proxy repeats what was sent.
  bool confusing = false;
};

class Audit {
 public:
  // All outlive the audit.
  Audit(Oracle& oracle, Disk& disk, SimClock& clock) : oracle_(oracle), disk_(disk), clock_(clock) {}

  void serving(const Agent& agent, const WorkerSpeed& speed);  // a new life begins to serve
  void after_step(const Agent* agent);                         // null: none runs

  // With nothing under way, the agent's figures are the oracle's. By name of the destination.
  void drained(const Agent& agent, const std::map<std::string, Lies>& lies);

 private:
  struct Watch {        // over one destination
    Time moving_since;  // when it last had nothing to do, or did something
  };

  void check(bool holds, std::string sentence);
  void check_connections(const Agent& agent);
  void check_ledgers(const Agent& agent);
  void bound(std::string lane, std::uint64_t bytes);
  void check_disk();
  void check_memory(const Agent& agent);
  void check_liveness(const Agent& agent);
  void check_figures(const std::string& name, const forward::SenderStatus& status, const Lies& lies);

  Oracle& oracle_;
  Disk& disk_;
  SimClock& clock_;
  std::uint64_t life_ = 0;
  std::uint64_t trace_ = 0;  // as of the last look
  Time looked_at_{};
  Duration patience_{};  // for what this node's disk is slow with
  struct Bound {
    std::string lane;
    LaneId id;
    std::uint64_t bytes;
  };
  std::vector<Bound> bounds_;  // on disk
  std::vector<Watch> watches_;
};

}  // namespace tideover::sim
