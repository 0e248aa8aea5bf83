#include "agent/lane_signal.h"

#include <utility>

#include "agent/log/log.h"
#include "agent/refusal_log.h"
#include "agent/sender_options.h"

namespace tideover {

LaneSignal::LaneSignal(const SignalParts& parts, const Of& of, Network network)
    : parts_(parts), of_(of), network_(network ? std::move(network) : over_tcp(parts.io, parts.clock)) {}

Result<> LaneSignal::rehearse(boost::asio::io_context& io, Clock& clock,
                              const std::vector<config::Destination>& destinations) {
  const Network network = over_tcp(io, clock);
  for (const config::Destination& destination : destinations)
    if (auto transport = make_transport(network, destination); !transport) return transport.error();
  return {};
}

Result<> LaneSignal::open() {
  const wal::SignalId memory = parts_.queue.open_signal(parts_.settings.signal);
  lane_ = parts_.queue.open_lane(of_.name, {of_.budget.max_bytes, true, memory});
  buffer_.emplace(
      parts_.queue, parts_.clock, parts_.settings.wal,
      BufferWatch::Of{std::string(of_.name), std::string(of_.units), lane_, parts_.config.guarantee});
  deliveries_.emplace(parts_.queue, parts_.clock, std::string(of_.name), lane_, memory);
  for (const config::Destination& destination : of_.destinations) {
    auto transport = make_transport(network_, destination);
    if (!transport) return transport.error();
    deliveries_->add(destination, protocol(destination), std::move(*transport),
                     sender_options(destination, of_.budget));
  }
  forward::SenderOptions bounds;
  bounds.parked_bytes_max = of_.budget.parked_max_bytes;
  bounds.rejects_bytes_max = of_.budget.rejects_max_bytes;
  deliveries_->freeze_detached(std::move(bounds));
  open_intake();
  return boost::system::in_place_value;
}

Result<> LaneSignal::listen(Inheritance& inherited) {
  server_ = std::make_unique<server::HttpServer>(parts_.io, parts_.clock, parts_.settings.intake_server,
                                                 routes(), parts_.inflight);
  server_->on_warning([](std::string_view sentence) { log::event(log::Level::warn, sentence); });
  const std::string address = config::print(of_.listen);
  return server_->listen(address, inherited.take(address));
}

void LaneSignal::spawn(TaskGroup& tasks) {
  deliveries_->spawn(tasks);
  spawn_intake(tasks);
}

std::vector<server::HttpServer*> LaneSignal::servers() const {
  if (!server_) return {};
  return {server_.get()};
}

awaitable<void> LaneSignal::close_intake(Time deadline) {
  stop_intake();
  if (server_) co_await server_->stop(deadline);
}

awaitable<void> LaneSignal::drain_until(Time deadline) {
  if (deliveries_) co_await deliveries_->drain_until(deadline);
}

void LaneSignal::stop_senders() {
  stop_intake();
  if (deliveries_) deliveries_->stop();
}

void LaneSignal::retry_now() { deliveries_->retry_now(); }

Result<> LaneSignal::drop_cursor(std::string_view destination) {
  return deliveries_->drop_cursor(destination);
}

void LaneSignal::observe() {
  deliveries_->observe();
  buffer_->observe(refused_bytes());
}

admin::SignalSnapshot LaneSignal::describe() const {
  admin::SignalSnapshot s;
  s.name = of_.name;
  s.buffer = buffer_->describe(refused_bytes());
  s.destinations = deliveries_->describe();
  describe_intake(s);
  for (ingest::SenderAccount& sender : s.senders.largest) sender.last_error = for_log(sender.last_error);
  if (server_) s.server = server_->metrics();
  return s;
}

}  // namespace tideover
