// What the agent carries for its users, metrics today: an intake, a lane in the queue, and senders behind it.
// The agent knows a list of them and nothing of any one; a new signal is a class and a line in signals.cc.
//
// Executor: io. Life: made by its kind, open() once the queue is open, listen(), spawn(), then stop in the
// order close_intake(), drain_until(), stop_senders(), and join what was spawned.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/snapshot.h"
#include "agent/config/config.h"
#include "agent/inheritance/inheritance.h"
#include "agent/server/http_server.h"
#include "agent/settings.h"
#include "wal/base/task_group.h"
#include "wal/queue.h"

namespace tideover {

class Signal {
 public:
  virtual ~Signal() = default;

  // The key of status, metrics and verbs: destinations of two signals may have one name.
  virtual std::string_view name() const = 0;

  virtual Result<> open() = 0;  // lanes and cursors. Errors: bad_input
  virtual Result<> listen(
      Inheritance& inherited) = 0;           // takes what is its own of it. Errors: io_error, bad_input
  virtual void spawn(TaskGroup& tasks) = 0;  // senders, and whatever else runs until stop_senders()
  // That listen, in the order in which they do. The agent hands them over to the next image, or stops them.
  virtual std::vector<server::HttpServer*> servers() const = 0;

  virtual awaitable<void> close_intake(Time deadline) = 0;
  virtual awaitable<void> drain_until(
      Time deadline) = 0;  // ends early when nothing is left, or nothing moves
  virtual void stop_senders() = 0;

  // An operator has what is parked or quarantined tried at once, and ends the wait of a pause.
  virtual void retry_now() = 0;
  // Gives up the backlog of a destination that is not in the configuration any more. Errors: not_found,
  // bad_input.
  virtual Result<> drop_cursor(std::string_view destination) = 0;

  virtual void observe() = 0;  // every few seconds: rates, and what the log should say
  virtual admin::SignalSnapshot describe() const = 0;
};

// What a signal is made with. All of it outlives the signal.
struct SignalParts {
  boost::asio::io_context& io;
  Clock& clock;
  wal::Queue& queue;
  const config::Config& config;
  const Settings& settings;
  std::shared_ptr<server::ByteBudget> inflight = {};  // of all intakes; without it each has one of its own
};

// A kind of signal, before there is one.
struct SignalKind {
  std::string_view name;
  bool (*wanted)(const config::Config& config);  // on, in this configuration
  // Where it listens, as the configuration says it. Like all that follow only where it is wanted.
  std::vector<std::string> (*addresses)(const config::Config& config);
  // What open() and listen() would fail of, tried without a queue. Errors: as theirs.
  Result<> (*rehearse)(boost::asio::io_context& io, Clock& clock, const config::Config& config);
  std::unique_ptr<Signal> (*make)(const SignalParts& parts);
};

using SignalKinds = std::vector<SignalKind>;
SignalKinds wanted(const SignalKinds& kinds, const config::Config& config);
const SignalKinds& signal_kinds();  // all that this agent knows, in the order in which they start

}  // namespace tideover
