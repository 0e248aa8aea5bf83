// The metrics signal: samples come by Remote Write and go to Thanos, or to whoever speaks it.
#pragma once

#include <memory>
#include <vector>

#include "agent/ingest/remote_write_intake.h"
#include "agent/lane_signal.h"

namespace tideover {

class MetricsSignal final : public LaneSignal {
 public:
  static SignalKind kind();

  // Only where the configuration has metrics. Without a network it is over_tcp().
  explicit MetricsSignal(const SignalParts& parts, Network network = {});

 private:
  std::unique_ptr<forward::Destination> protocol(const config::Destination& destination) const override;
  void open_intake() override;
  std::vector<server::Route> routes() override;
  std::uint64_t refused_bytes() const override;
  void describe_intake(admin::SignalSnapshot& snapshot) const override;

  const config::Metrics& config_;
  ingest::IntakeMetrics intake_metrics_;
  std::unique_ptr<ingest::RemoteWriteIntake> intake_;
};

}  // namespace tideover
