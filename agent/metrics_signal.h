// The metrics signal, wired: one lane, its Remote Write intake behind an HTTP server, a sender for each
// destination.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agent/buffer_watch.h"
#include "agent/deliveries.h"
#include "agent/ingest/remote_write_intake.h"
#include "agent/signal.h"

namespace tideover {

class MetricsSignal final : public Signal {
 public:
  static SignalKind kind();

  // Only where the configuration has metrics. Without a network it is over_tcp().
  explicit MetricsSignal(const SignalParts& parts, Network network = {});

  std::string_view name() const override;
  Result<> open() override;
  Result<> listen(Inheritance& inherited) override;
  void spawn(TaskGroup& tasks) override;
  std::vector<server::HttpServer*> servers() const override;
  awaitable<void> close_intake(Time deadline) override;
  awaitable<void> drain_until(Time deadline) override;
  void stop_senders() override;
  void retry_now() override;
  Result<> drop_cursor(std::string_view destination) override;
  void observe() override;
  admin::SignalSnapshot describe() const override;

 private:
  const SignalParts parts_;
  const config::Metrics& config_;
  const Network network_;
  LaneId lane_;
  ingest::IntakeMetrics intake_metrics_;
  std::optional<BufferWatch> buffer_;
  std::optional<Deliveries> deliveries_;
  std::unique_ptr<ingest::RemoteWriteIntake> intake_;
  std::unique_ptr<server::HttpServer> server_;
};

}  // namespace tideover
