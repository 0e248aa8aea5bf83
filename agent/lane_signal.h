// What all signals of one lane are made of: the lane, its watch, an HTTP server before it and a sender behind
// it for each destination. A signal adds what it speaks: its routes, and the protocol of its destinations.
//
// Executor: io. Life: as Signal says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/buffer_watch.h"
#include "agent/deliveries.h"
#include "agent/signal.h"

namespace tideover {

class LaneSignal : public Signal {
 public:
  // Of the configuration, which outlives it.
  struct Of {
    std::string_view name;   // of the signal and of its lane
    std::string_view units;  // "samples"
    const config::Address& listen;
    const std::vector<config::Destination>& destinations;
    DiskBudget budget;
  };

  std::string_view name() const final { return of_.name; }
  Result<> open() final;
  Result<> listen(Inheritance& inherited) final;
  void spawn(TaskGroup& tasks) final;
  std::vector<server::HttpServer*> servers() const final;
  awaitable<void> close_intake(Time deadline) final;
  awaitable<void> drain_until(Time deadline) final;
  void stop_senders() final;
  void retry_now() final;
  Result<> drop_cursor(std::string_view destination) final;
  void observe() final;
  admin::SignalSnapshot describe() const final;

  // What listen() and open() would fail of, tried without a queue.
  static Result<> rehearse(boost::asio::io_context& io, Clock& clock,
                           const std::vector<config::Destination>& destinations);

 protected:
  // Without a network it is over_tcp().
  LaneSignal(const SignalParts& parts, const Of& of, Network network);

  virtual std::unique_ptr<forward::Destination> protocol(const config::Destination& destination) const = 0;
  virtual void open_intake() = 0;  // the lane is open
  virtual std::vector<server::Route> routes() = 0;
  virtual std::uint64_t refused_bytes() const = 0;  // of the largest record that was refused lately
  virtual void describe_intake(admin::SignalSnapshot& snapshot) const = 0;
  // What takes data in by itself, beside the server.
  virtual void spawn_intake(TaskGroup&) {}
  virtual void stop_intake() {}  // may be called twice

  const SignalParts& parts() const { return parts_; }
  LaneId lane() const { return lane_; }

 private:
  const SignalParts parts_;
  const Of of_;
  const Network network_;
  LaneId lane_;
  std::optional<BufferWatch> buffer_;
  std::optional<Deliveries> deliveries_;
  std::unique_ptr<server::HttpServer> server_;
};

}  // namespace tideover
