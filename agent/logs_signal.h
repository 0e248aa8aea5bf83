// The logs signal: lines come from the files of the node's pods and by Loki's push API, and go to Loki, or to
// whoever speaks it.
//
// One tenant for now: that of its destinations. A client that names another one is asked to wait, with a
// sentence that says so, since its lines would go where they do not belong.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "agent/ingest/loki/push_intake.h"
#include "agent/lane_signal.h"
#include "agent/log_files.h"

namespace tideover {

class LogsSignal final : public LaneSignal {
 public:
  static SignalKind kind();

  // Only where the configuration has logs. Without a network it is over_tcp().
  explicit LogsSignal(const SignalParts& parts, Network network = {}, LogFiles::Ports ports = {});

 private:
  std::unique_ptr<forward::Destination> protocol(const config::Destination& destination) const override;
  void open_intake() override;
  std::vector<server::Route> routes() override;
  std::uint64_t refused_bytes() const override;
  void describe_intake(admin::SignalSnapshot& snapshot) const override;
  void spawn_intake(TaskGroup& tasks) override;
  void stop_intake() override;
  Result<LaneId> lane_of(std::string_view tenant) const;

  const config::Logs& config_;
  const LogFiles::Ports ports_;
  ingest::loki::PushMetrics push_metrics_;
  std::unique_ptr<ingest::loki::LokiPushIntake> intake_;
  std::unique_ptr<LogFiles> files_;  // where some are to be read
};

}  // namespace tideover
