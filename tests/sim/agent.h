// One life of the agent under test: production queue, intake and senders, wired as in production, on the
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
#include <string>
#include <vector>

#include "agent/ingest/remote_write_intake.h"
#include "forwarders/sender.h"
#include "tests/sim/coverage.h"
#include "tests/sim/disk.h"
#include "tests/sim/observed_destination.h"
#include "tests/sim/source.h"
#include "tests/support/sim_network.h"
#include "tests/support/sim_worker.h"
#include "wal/base/task_group.h"
#include "wal/metrics.h"
#include "wal/queue.h"

namespace tideover::sim {

inline constexpr std::string_view kLane = "metrics";

struct DestinationOptions {
  std::string name;
  SimNetwork* network = nullptr;  // the way to its receiver: its URL
  bool required = true;
  wal::StartAt start = wal::StartAt::now;
};

// The agent's configuration.
struct AgentOptions {
  std::vector<DestinationOptions> destinations;
  remote_write::ExternalLabels external_labels;
  std::uint64_t lane_bytes_max = 64 << 20;
  std::uint64_t parked_bytes_max = 64 << 20;
  std::uint64_t quarantine_bytes_max = 64 << 20;
  std::uint64_t rejects_bytes_max = 16 << 20;
  std::uint64_t request_samples_max = forward::RequestLimits().units;
  wal::WalLimits limits;
};

struct WorkerSpeed {
  Duration commit = std::chrono::milliseconds(3);
  double stalls = 0;  // how often a job takes up to `stall` longer
  Duration stall = std::chrono::seconds(20);
  double sticks = 0;  // how often a job takes up to `stuck` longer: a disk that hangs
  Duration stuck = std::chrono::minutes(5);
};

class Agent {
 public:
  // All references outlive the agent.
  Agent(boost::asio::io_context& io, SimClock& clock, Rng rng, Disk& disk, const WorkerSpeed& speed,
        const AgentOptions& options, Coverage& coverage, FaultCounts& happened);
  ~Agent();

  void start();
  bool serving() const { return serving_ && !dead_ && !stopping_; }

  // From a source; the answer is nothing when the agent dies first.
  void post(http::Request request, Source::Answer answer);

  void die();
  bool dead() const { return dead_; }

  // Begins the ordinary stop; ended() once no coroutine is left.
  void stop();
  bool stopping() const { return stopping_; }
  bool ended() const { return ended_; }

  // While serving.
  const AgentOptions& options() const { return options_; }
  const wal::Queue& queue() const { return *queue_; }
  forward::SenderStatus destination(std::size_t index = 0) const {
    return deliveries_[index]->sender->status();
  }
  std::size_t requests_open(std::size_t index) const { return deliveries_[index]->transport.requests_open(); }
  std::optional<Time> oldest_post() const;  // that waits for its answer
  bool settled() const;  // nothing waits: no source for its answer, no record for its delivery
  LaneId lane() const { return lane_; }
  void retry_now();                                // an operator
  Result<> give_up(std::string_view destination);  // an operator, of one that is not configured

  std::function<void()> on_serving;  // runs once its cursors are open and before anything is taken
  std::function<void()> on_answer;   // runs before a source gets its answer: a good moment to die

 private:
  struct Delivery {
    Delivery(SimNetwork& network, Clock& clock, const remote_write::ExternalLabels& labels,
             Coverage& coverage)
        : transport(network, clock), destination(labels, coverage) {}

    SimTransport transport;
    ObservedDestination destination;
    std::unique_ptr<forward::Sender> sender;
  };

  bool anything_between_lanes() const;
  Duration job_time();
  awaitable<void> run();
  void open_deliveries();
  void freeze_detached();
  awaitable<void> serve(http::Request request, std::uint64_t id);
  awaitable<void> shut_down();
  void answer(std::uint64_t id, std::optional<http::Response> response);
  void note_refusal(std::uint64_t bytes);
  void note_life();

  SimClock& clock_;
  Rng rng_;
  const WorkerSpeed& speed_;
  const AgentOptions options_;
  Coverage& coverage_;
  FaultCounts& happened_;
  Disk::Handle store_;
  SimWorker writer_;
  SimWorker reader_;
  wal::WalMetrics wal_metrics_;
  std::unique_ptr<wal::Queue> queue_;
  ingest::IntakeMetrics intake_metrics_;
  std::unique_ptr<ingest::RemoteWriteIntake> intake_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
  LaneId lane_{};
  TaskGroup tasks_;
  TaskGroup undertaker_;
  struct Post {
    Source::Answer answer;
    Time since;
  };
  std::map<std::uint64_t, Post> posts_;
  std::uint64_t last_post_ = 0;
  bool serving_ = false;
  bool dead_ = false;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace tideover::sim
