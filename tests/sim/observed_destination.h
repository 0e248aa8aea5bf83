// The production destination with an ear on it: the verdicts it gives, and the errors it is asked about, go
// to the coverage list. It changes nothing.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "forwarders/thanos/thanos_destination.h"
#include "tests/sim/coverage.h"
#include "tests/support/sim_network.h"

namespace tideover::sim {

class ObservedDestination final : public forward::Destination {
 public:
  ObservedDestination(const remote_write::ExternalLabels& labels, Coverage& coverage)
      : thanos_({.target = {}, .tenant = {}, .external_labels = labels, .headers = {}}),
        coverage_(coverage) {}

  bool parks() const override { return thanos_.parks(); }
  std::size_t plan(std::span<const wal::StoredRecord> records,
                   const forward::RequestLimits& limits) const override {
    return thanos_.plan(records, limits);
  }
  std::unique_ptr<forward::Load> load(std::vector<wal::StoredRecord> records) const override {
    return thanos_.load(std::move(records));
  }
  forward::Verdict classify(const forward::Sent& sent, const Result<http::Response>& answer,
                            const forward::History& history, const forward::Memory& memory) const override {
    forward::Verdict verdict = thanos_.classify(sent, answer, history, memory);
    coverage_.hit(sent, verdict, history, thanos::versions_of(memory));
    if (!answer) coverage_.hit_transport(answer.error().code);
    return verdict;
  }
  void learn(const forward::Sent& sent, const forward::Verdict& verdict, forward::Memory& memory,
             Time now) const override {
    thanos_.learn(sent, verdict, memory, now);
  }

 private:
  thanos::ThanosDestination thanos_;
  Coverage& coverage_;
};

}  // namespace tideover::sim
