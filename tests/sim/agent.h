// One life of the agent under test: production queue, intake and sender, wired as in production, on the
// simulated clock, disk and network.
//
// A crash is die(), then bury(): from die() on nothing the agent does has an effect outside (the disk handle
// is frozen, the network cut, no source hears an answer), so it can be stopped the ordinary way and destroyed
// without leaks, like an ordinary test fixture.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "agent/ingest/remote_write_intake.h"
#include "forwarders/sender.h"
#include "forwarders/thanos/thanos_destination.h"
#include "tests/sim/disk.h"
#include "tests/sim/source.h"
#include "tests/support/sim_network.h"
#include "tests/support/sim_worker.h"
#include "wal/base/task_group.h"
#include "wal/metrics.h"
#include "wal/queue.h"

namespace tideover::sim {

inline constexpr std::string_view kLane = "metrics";

struct AgentOptions {
  std::uint64_t lane_bytes_max = 64 << 20;
  std::uint64_t parked_bytes_max = 64 << 20;
  wal::WalLimits limits;
};

struct WorkerSpeed {
  Duration commit = std::chrono::milliseconds(3);
  double stalls = 0;  // how often a job takes up to `stall` longer
  Duration stall = std::chrono::seconds(20);
};

class Agent {
 public:
  // All references outlive the agent.
  Agent(boost::asio::io_context& io, SimClock& clock, Rng rng, Disk& disk, SimNetwork& network,
        const WorkerSpeed& speed, const AgentOptions& options);
  ~Agent();

  void start();
  bool serving() const { return serving_ && !dead_; }

  // From a source; the answer is nothing when the agent dies first.
  void post(http::Request request, Source::Answer answer);

  void die();
  bool dead() const { return dead_; }

  // Begins the ordinary stop; ended() once no coroutine is left.
  void stop();
  bool ended() const { return ended_; }

  // While serving.
  const wal::Queue& queue() const { return *queue_; }
  forward::SenderStatus destination() const { return sender_->status(); }
  bool settled() const;  // nothing waits: no source for its answer, no record for its delivery
  LaneId lane() const { return lane_; }

  std::function<void()> on_answer;  // runs before a source gets its answer: a good moment to die

 private:
  Duration job_time();
  awaitable<void> run();
  awaitable<void> serve(http::Request request, std::uint64_t id);
  awaitable<void> shut_down();
  void answer(std::uint64_t id, std::optional<http::Response> response);

  SimClock& clock_;
  Rng rng_;
  const WorkerSpeed& speed_;
  const AgentOptions options_;
  Disk::Handle store_;
  SimWorker writer_;
  SimWorker reader_;
  SimTransport transport_;
  wal::WalMetrics wal_metrics_;
  thanos::ThanosDestination destination_;
  std::unique_ptr<wal::Queue> queue_;
  ingest::IntakeMetrics intake_metrics_;
  std::unique_ptr<ingest::RemoteWriteIntake> intake_;
  std::unique_ptr<forward::Sender> sender_;
  LaneId lane_{};
  TaskGroup tasks_;
  TaskGroup undertaker_;
  std::map<std::uint64_t, Source::Answer> posts_;
  std::uint64_t last_post_ = 0;
  bool serving_ = false;
  bool dead_ = false;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace tideover::sim
