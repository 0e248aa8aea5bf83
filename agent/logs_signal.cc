#include "agent/logs_signal.h"

#include <fmt/format.h>
#include <utility>

#include "agent/version.h"
#include "forwarders/loki/loki_destination.h"

namespace tideover {
namespace {

constexpr std::string_view kName = "logs";

bool wanted(const config::Config& config) { return config.logs.has_value(); }

std::vector<std::string> addresses(const config::Config& config) {
  return {config::print(config.logs->listen)};
}

Result<> rehearse(boost::asio::io_context& io, Clock& clock, const config::Config& config) {
  return LaneSignal::rehearse(io, clock, config.logs->destinations);
}

std::unique_ptr<Signal> make(const SignalParts& parts) { return std::make_unique<LogsSignal>(parts); }

}  // namespace

SignalKind LogsSignal::kind() { return {kName, wanted, addresses, tideover::rehearse, make}; }

LogsSignal::LogsSignal(const SignalParts& parts, Network network, LogFiles::Ports ports)
    : LaneSignal(
          parts,
          {kName, "lines", parts.config.logs->listen, parts.config.logs->destinations, parts.settings.logs},
          std::move(network)),
      config_(*parts.config.logs),
      ports_(std::move(ports)) {}

std::unique_ptr<forward::Destination> LogsSignal::protocol(const config::Destination& d) const {
  loki::LokiOptions options;
  options.tenant = d.tenant;
  for (const auto& [name, value] : d.headers) options.headers.add(name, value);
  options.user_agent = fmt::format("tideover/{}", version().version);
  return std::make_unique<loki::LokiDestination>(std::move(options));
}

Result<LaneId> LogsSignal::lane_of(std::string_view tenant) const {
  if (tenant.empty()) return lane();
  for (const config::Destination& destination : config_.destinations)
    if (destination.tenant != tenant)
      return fail(
          Errc::unavailable,
          fmt::format("lines of the tenant {} cannot be kept: the destination {} is for {}; leave "
                      "out X-Scope-OrgID, or name that tenant",
                      tenant, destination.name, destination.tenant.empty() ? "none" : destination.tenant));
  return lane();
}

void LogsSignal::open_intake() {
  intake_ = std::make_unique<ingest::loki::LokiPushIntake>(
      parts().queue, [this](std::string_view tenant) { return lane_of(tenant); }, parts().clock,
      ingest::loki::Limits(), push_metrics_);
  if (!config_.files.empty()) files_ = std::make_unique<LogFiles>(parts(), config_, lane(), ports_);
}

std::vector<server::Route> LogsSignal::routes() {
  server::Route route;
  route.method = "POST";
  route.path = "/loki/api/v1/push";
  route.check = [this](const http::Request& head) { return intake_->check(head); };
  route.handle = [this](http::Request request) { return intake_->handle(std::move(request)); };
  std::vector<server::Route> routes;
  routes.push_back(std::move(route));
  return routes;
}

std::uint64_t LogsSignal::refused_bytes() const { return push_metrics_.refused.bytes(parts().clock.now()); }

void LogsSignal::spawn_intake(TaskGroup& tasks) {
  if (files_) files_->spawn(tasks);
}

void LogsSignal::stop_intake() {
  if (files_) files_->stop();
}

void LogsSignal::describe_intake(admin::SignalSnapshot& s) const {
  s.buffer.newest_ms = push_metrics_.newest_ms;
  s.push = push_metrics_;
  if (files_) s.files = files_->describe();
  s.senders = intake_->senders().largest();
}

}  // namespace tideover
