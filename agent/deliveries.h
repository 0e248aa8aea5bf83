// The senders of a signal's lane: one for each destination of the configuration, what its log says, and what
// is left of destinations that are in the configuration no more.
//
// Executor: io. Life: add() all, open(), spawn(), stop(), join what was spawned.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/snapshot.h"
#include "agent/config/config.h"
#include "forwarders/detached.h"
#include "forwarders/http/beast_transport.h"
#include "forwarders/sender.h"
#include "wal/base/notifier.h"
#include "wal/base/task_group.h"
#include "wal/queue.h"

namespace tideover {

// How destinations are reached: over_tcp() in production, a network of their own in tests. Errors: bad_input.
using Network = std::function<Result<std::unique_ptr<http::Transport>>(http::TransportOptions options)>;
Network over_tcp(boost::asio::io_context& io, Clock& clock);  // both outlive what it makes

// Errors: bad_input, with the destination's name.
Result<std::unique_ptr<http::Transport>> make_transport(const Network& network,
                                                        const config::Destination& destination);

class Deliveries {
 public:
  // The references outlive this. `lane` is open, by the name given. `memory`: what side lanes share with it.
  Deliveries(wal::Queue& queue, Clock& clock, std::string lane_name, LaneId lane, wal::SignalId memory);
  ~Deliveries();

  // `destination` outlives this. `options`: as sender_options() says.
  void add(const config::Destination& destination, std::unique_ptr<forward::Destination> protocol,
           std::unique_ptr<http::Transport> transport, forward::SenderOptions options);
  // Once all are added, before anything comes in: others keep what they have, in these bounds for what is set
  // aside. The log names them.
  void freeze_detached(forward::SenderOptions bounds);

  void spawn(TaskGroup& tasks);
  awaitable<void> drain_until(Time deadline);  // ends early when nothing is left, or nothing moves
  void stop();

  void retry_now();
  Result<> drop_cursor(std::string_view destination);  // Errors: not_found, bad_input

  void observe();  // every few seconds: what the log should say
  std::vector<admin::DestinationSnapshot> describe() const;

 private:
  struct Delivery;

  std::uint64_t pending(std::string_view side, std::string_view destination) const;
  std::vector<forward::Detached> detached() const;
  void give_up_empty();
  awaitable<void> look_at_left();
  admin::DestinationSnapshot describe(const Delivery& delivery) const;

  wal::Queue& queue_;
  Clock& clock_;
  const std::string lane_name_;
  const LaneId lane_;
  const wal::SignalId memory_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
  std::vector<std::string> configured_;  // their names
  std::vector<wal::CursorId> left_;      // of destinations that are not among them
  bool stopping_ = false;
  Notifier stop_looking_;
};

}  // namespace tideover
