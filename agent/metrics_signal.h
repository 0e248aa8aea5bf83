// The metrics signal, wired: one lane, its intake behind an HTTP server, a sender for each destination.
//
// Executor: io. Life: construct, open() once the queue is open, listen(), spawn senders, then stop in the
// order close_intake(), drain_until(), stop_senders(), and join what was spawned.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/admin/snapshot.h"
#include "agent/admin/survivability.h"
#include "agent/config/config.h"
#include "agent/ingest/remote_write_intake.h"
#include "agent/server/http_server.h"
#include "agent/settings.h"
#include "forwarders/http/beast_transport.h"
#include "forwarders/sender.h"
#include "forwarders/thanos/thanos_destination.h"
#include "wal/base/task_group.h"
#include "wal/queue.h"

namespace tideover {

// How destinations are reached: over_tcp() in production, a network of their own in tests. Errors: bad_input.
using Network = std::function<Result<std::unique_ptr<http::Transport>>(http::TransportOptions options)>;
Network over_tcp(boost::asio::io_context& io, Clock& clock);  // both outlive what it makes

class MetricsSignal {
 public:
  // All references outlive the signal. Without a network it is over_tcp().
  MetricsSignal(boost::asio::io_context& io, Clock& clock, wal::Queue& queue, const wal::WalMetrics& wal,
                const config::Config& config, const Settings& settings, Network network = {});
  ~MetricsSignal();

  // Whether open() could make its senders: what it would fail of, without a queue. Errors: as open().
  static Result<> rehearse(boost::asio::io_context& io, Clock& clock, const config::Config& config);

  Result<> open();  // lanes and cursors. Errors: bad_input, with the destination's name
  Result<> listen(server::Sockets inherited);  // Errors: io_error, bad_input
  void spawn_senders(TaskGroup& tasks);

  awaitable<void> close_intake(Time deadline);
  awaitable<void> drain_until(Time deadline);  // ends early when nothing is left, or nothing moves
  void stop_senders();

  // An operator has what is parked or quarantined tried at once, and ends the wait of a pause.
  void retry_now();
  // Gives up the backlog of a destination that is not in the config any more. Errors: not_found, bad_input.
  Result<> drop_cursor(std::string_view destination);

  server::HttpServer* intake_server() const { return server_.get(); }  // null before listen()

  void observe();  // every few seconds: rates, and what the log should say
  void describe(admin::Snapshot& snapshot) const;

 private:
  struct Delivery;

  std::optional<wal::Refusal> refusal() const;
  void log_refusal();
  void log_guarantee();
  std::uint64_t pending(std::string_view side, std::string_view destination) const;
  std::vector<wal::CursorUsage> detached() const;
  void describe_detached(admin::Snapshot& snapshot) const;
  admin::BufferSnapshot buffer() const;

  boost::asio::io_context& io_;
  Clock& clock_;
  wal::Queue& queue_;
  const wal::WalMetrics& wal_;
  const config::Config& config_;
  const Settings& settings_;
  const Network network_;
  LaneId lane_;
  ingest::IntakeMetrics intake_metrics_;
  std::unique_ptr<ingest::RemoteWriteIntake> intake_;
  std::unique_ptr<server::HttpServer> server_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
  admin::Survivability survivability_;
  std::string refusing_;          // as logged last
  bool below_guarantee_ = false;  // as logged last
};

}  // namespace tideover
