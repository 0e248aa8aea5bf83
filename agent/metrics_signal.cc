#include "agent/metrics_signal.h"

#include <fmt/format.h>
#include <utility>

#include "agent/log/log.h"
#include "agent/refusal_log.h"
#include "agent/sender_options.h"
#include "agent/version.h"
#include "forwarders/thanos/thanos_destination.h"

namespace tideover {
namespace {

constexpr std::string_view kName = "metrics";

thanos::ThanosOptions thanos_options(const config::Metrics& config, const config::Destination& d) {
  thanos::ThanosOptions options;
  options.tenant = d.tenant;
  options.external_labels = config.external_labels;
  for (const auto& [name, value] : d.headers) options.headers.add(name, value);
  options.user_agent = fmt::format("tideover/{}", version().version);
  return options;
}

bool wanted(const config::Config& config) { return config.metrics.has_value(); }

std::vector<std::string> addresses(const config::Config& config) {
  return {config::print(config.metrics->listen)};
}

Result<> rehearse(boost::asio::io_context& io, Clock& clock, const config::Config& config) {
  const Network network = over_tcp(io, clock);
  for (const config::Destination& destination : config.metrics->destinations)
    if (auto transport = make_transport(network, destination); !transport) return transport.error();
  return {};
}

std::unique_ptr<Signal> make(const SignalParts& parts) { return std::make_unique<MetricsSignal>(parts); }

}  // namespace

SignalKind MetricsSignal::kind() { return {kName, wanted, addresses, rehearse, make}; }

MetricsSignal::MetricsSignal(const SignalParts& parts, Network network)
    : parts_(parts),
      config_(*parts.config.metrics),
      network_(network ? std::move(network) : over_tcp(parts.io, parts.clock)) {}

std::string_view MetricsSignal::name() const { return kName; }

Result<> MetricsSignal::open() {
  const wal::SignalId memory = parts_.queue.open_signal(parts_.settings.signal);
  lane_ = parts_.queue.open_lane(kName, {parts_.settings.metrics_max_bytes, true, memory});
  buffer_.emplace(parts_.queue, parts_.clock, parts_.settings.wal,
                  BufferWatch::Of{std::string(kName), "samples", lane_, parts_.config.guarantee});
  deliveries_.emplace(parts_.queue, parts_.clock, std::string(kName), lane_, memory);
  for (const config::Destination& destination : config_.destinations) {
    auto transport = make_transport(network_, destination);
    if (!transport) return transport.error();
    deliveries_->add(destination,
                     std::make_unique<thanos::ThanosDestination>(thanos_options(config_, destination)),
                     std::move(*transport), sender_options(destination, parts_.settings));
  }
  forward::SenderOptions bounds;
  bounds.parked_bytes_max = parts_.settings.parked_max_bytes;
  bounds.rejects_bytes_max = parts_.settings.rejects_max_bytes;
  deliveries_->freeze_detached(std::move(bounds));
  intake_ = std::make_unique<ingest::RemoteWriteIntake>(parts_.queue, lane_, parts_.clock, intake_metrics_);
  return boost::system::in_place_value;
}

Result<> MetricsSignal::listen(Inheritance& inherited) {
  std::vector<server::Route> routes;
  for (const char* path : {"/api/v1/write", "/api/v1/receive"}) {
    server::Route route;
    route.method = "POST";
    route.path = path;
    route.headroom = wal::kEnvelopeBytes;
    route.check = [this](const http::Request& head) { return intake_->check(head); };
    route.handle = [this](http::Request request) { return intake_->handle(std::move(request)); };
    routes.push_back(std::move(route));
  }
  server_ = std::make_unique<server::HttpServer>(parts_.io, parts_.clock, parts_.settings.intake_server,
                                                 std::move(routes), parts_.inflight);
  server_->on_warning([](std::string_view sentence) { log::event(log::Level::warn, sentence); });
  const std::string address = config::print(config_.listen);
  return server_->listen(address, inherited.take(address));
}

void MetricsSignal::spawn(TaskGroup& tasks) { deliveries_->spawn(tasks); }

std::vector<server::HttpServer*> MetricsSignal::servers() const {
  if (!server_) return {};
  return {server_.get()};
}

awaitable<void> MetricsSignal::close_intake(Time deadline) {
  if (server_) co_await server_->stop(deadline);
}

awaitable<void> MetricsSignal::drain_until(Time deadline) {
  if (deliveries_) co_await deliveries_->drain_until(deadline);
}

void MetricsSignal::stop_senders() {
  if (deliveries_) deliveries_->stop();
}

void MetricsSignal::retry_now() { deliveries_->retry_now(); }

Result<> MetricsSignal::drop_cursor(std::string_view destination) {
  return deliveries_->drop_cursor(destination);
}

void MetricsSignal::observe() {
  deliveries_->observe();
  buffer_->observe(intake_metrics_.refused.bytes(parts_.clock.now()));
}

admin::SignalSnapshot MetricsSignal::describe() const {
  admin::SignalSnapshot s;
  s.name = kName;
  s.buffer = buffer_->describe(intake_metrics_.refused.bytes(parts_.clock.now()));
  s.buffer.newest_ms = intake_metrics_.newest_ms;
  s.destinations = deliveries_->describe();
  s.remote_write = intake_metrics_;
  s.senders = intake_->senders().largest();
  for (ingest::SenderAccount& sender : s.senders.largest) sender.last_error = for_log(sender.last_error);
  if (server_) s.server = server_->metrics();
  return s;
}

}  // namespace tideover
