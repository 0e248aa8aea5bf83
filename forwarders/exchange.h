// One request and its answer: a part of a batch goes out, and comes back as a verdict.
//
// Place: between LaneSender and the transport. Executor: io. Life: that of its LaneSender. A crash in between
// leaves the part in doubt for the next life.
#pragma once

#include "forwarders/destination.h"
#include "forwarders/inflow.h"
#include "forwarders/lane_shared.h"
#include "forwarders/sender_steps.h"
#include "wal/base/result.h"

namespace tideover::forward {

class Exchange {
 public:
  Exchange(LaneShared& shared, LaneId lane, Role role) : shared_(shared), lane_(lane), role_(role) {}

  struct Outcome {
    Answer answer;
    SideCounts beside;  // of what was sent, once it is delivered
  };
  // `load` and `step` stay until it completes. What cannot be made into a request is refused here, as the
  // receiver would have done it. Errors: stopping.
  awaitable<Result<Outcome>> carry(Load& load, const Step& step);

  const Inflow& inflow() const { return inflow_; }  // what comes in anew, and what it weighs on the way out

 private:
  Verdict judge(const Sent& sent, const Result<http::Response>& response, const Step& step) const;
  void note(std::uint64_t units, const Result<http::Response>& response, const Verdict& verdict);

  LaneShared& shared_;
  const LaneId lane_;
  const Role role_;
  Inflow inflow_;
};

}  // namespace tideover::forward
