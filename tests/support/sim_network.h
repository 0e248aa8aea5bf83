// The network between one destination and its receiver: the port `Transport` on virtual time, with weather.
//
// A request that has left the agent travels by itself: the agent may crash, give up or retry, and the packet
// still arrives. That is where duplicates come from, and where a sender that trusts its own deadline loses
// data.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "forwarders/http/address_book.h"
#include "forwarders/http/transport.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_faults.h"
#include "tests/support/sim_line.h"
#include "wal/base/notifier.h"
#include "wal/base/rng.h"

namespace tideover::sim {

// How often each misfortune befalls a request; the rest goes through.
struct Weather {
  double refused = 0;          // no connection: the receiver cannot have acted
  double reset_before = 0;     // the connection breaks on the way there
  double reset_after = 0;      // the receiver acts, the connection breaks on the way back
  double reply_lost = 0;       // the receiver acts, nobody ever answers
  double reply_truncated = 0;  // the receiver acts, its answer breaks off
  double reply_garbled = 0;    // the receiver acts, what comes back is no HTTP, or far too long
  double reply_late = 0;       // comes up to `slow_by` later: after others, or after the deadline
  double reply_twice = 0;
  double request_twice = 0;  // a proxy repeats it; half of the time the answer is that to the second copy
  double slow = 0;           // takes up to `slow_by` longer to arrive, which may be past the deadline
  Duration slow_by = std::chrono::seconds(90);
  Duration latency = std::chrono::milliseconds(20);
};

enum class Link : std::uint8_t {
  up,
  refusing,    // instant refusal, and names that do not resolve
  black_hole,  // packets vanish: every request runs into its deadline
  resetting,   // connections open, then break
};

class SimNetwork {
 public:
  using Receiver = std::function<http::Response(const http::Request&)>;
  using Reply = std::function<void(Result<http::Response>)>;

  SimNetwork(SimClock& clock, Rng rng, Receiver receiver, FaultCounts& happened)
      : clock_(clock), rng_(rng), receiver_(std::move(receiver)), happened_(happened) {}

  void set_weather(const Weather& weather) { weather_ = weather; }
  void set_line(const LineOptions& line) { line_ = SimLine(line, Rng(rng_.next())); }
  const SimLine& line() const { return line_; }
  void set_link(Link link) { link_ = link; }
  Link link() const { return link_; }
  // The receiver has moved. Its name stands for where it is now; what is left at its old address answers
  // `status` to whoever does not look the name up again.
  void move(int status);
  std::uint64_t address() const { return address_; }

  std::function<void()> on_act;  // runs when the receiver has acted and its answer is on the way

  // Puts the request on the wire to `address`. `reply` may run more than once, late, or never.
  void carry(std::uint64_t address, http::Request request, Reply reply);

  Time last_request() const { return last_request_; }  // when one was put on the wire, whatever became of it

 private:
  void after(Duration delay, std::function<void()> then) {
    clock_.call_at(clock_.now() + delay, std::move(then));
  }
  bool befalls(double often, Fault fault);
  Duration latency();
  Duration on_the_line(const http::Request& request);
  void answer(const http::Response& response, const Reply& reply);

  SimClock& clock_;
  Rng rng_;
  Receiver receiver_;
  FaultCounts& happened_;
  Weather weather_;
  SimLine line_{{}, Rng(0)};
  Link link_ = Link::up;
  std::uint64_t address_ = 1;
  int left_behind_ = 503;  // what an old address answers
  Time last_request_{};
};

// One agent's end of the network; ends with that agent. As the transport of production it keeps a connection
// for as long as the address book finds its answers worth it, and looks the name up when it makes another.
class SimTransport final : public http::Transport {
 public:
  SimTransport(SimNetwork& network, Clock& clock) : network_(network), clock_(clock) {}

  awaitable<Result<http::Response>> send(http::Request request, Time deadline) override;
  void close() override;

  std::size_t requests_open() const { return open_.size(); }

 private:
  struct Exchange;

  SimNetwork& network_;
  Clock& clock_;
  void note(std::uint64_t address, const Result<http::Response>& answer);

  bool closed_ = false;
  std::uint64_t connected_to_ = 0;  // an address, or 0
  http::AddressBook addresses_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Exchange*> open_;  // in order of sending: close() must not depend on addresses
};

}  // namespace tideover::sim
