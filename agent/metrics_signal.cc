#include "agent/metrics_signal.h"

#include <fmt/format.h>
#include <utility>

#include "agent/version.h"
#include "forwarders/thanos/thanos_destination.h"

namespace tideover {
namespace {

constexpr std::string_view kName = "metrics";

bool wanted(const config::Config& config) { return config.metrics.has_value(); }

std::vector<std::string> addresses(const config::Config& config) {
  return {config::print(config.metrics->listen)};
}

Result<> rehearse(boost::asio::io_context& io, Clock& clock, const config::Config& config) {
  return LaneSignal::rehearse(io, clock, config.metrics->destinations);
}

std::unique_ptr<Signal> make(const SignalParts& parts) { return std::make_unique<MetricsSignal>(parts); }

}  // namespace

SignalKind MetricsSignal::kind() { return {kName, wanted, addresses, tideover::rehearse, make}; }

MetricsSignal::MetricsSignal(const SignalParts& parts, Network network)
    : LaneSignal(parts,
                 {kName, "samples", parts.config.metrics->listen, parts.config.metrics->destinations,
                  parts.settings.metrics},
                 std::move(network)),
      config_(*parts.config.metrics) {}

std::unique_ptr<forward::Destination> MetricsSignal::protocol(const config::Destination& d) const {
  thanos::ThanosOptions options;
  options.tenant = d.tenant;
  options.external_labels = config_.external_labels;
  for (const auto& [name, value] : d.headers) options.headers.add(name, value);
  options.user_agent = fmt::format("tideover/{}", version().version);
  return std::make_unique<thanos::ThanosDestination>(std::move(options));
}

void MetricsSignal::open_intake() {
  intake_ =
      std::make_unique<ingest::RemoteWriteIntake>(parts().queue, lane(), parts().clock, intake_metrics_);
}

std::vector<server::Route> MetricsSignal::routes() {
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
  return routes;
}

std::uint64_t MetricsSignal::refused_bytes() const {
  return intake_metrics_.refused.bytes(parts().clock.now());
}

void MetricsSignal::describe_intake(admin::SignalSnapshot& s) const {
  s.buffer.newest_ms = intake_metrics_.newest_ms;
  s.remote_write = intake_metrics_;
  s.senders = intake_->senders().largest();
}

}  // namespace tideover
