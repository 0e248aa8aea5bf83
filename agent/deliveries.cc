#include "agent/deliveries.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <utility>

#include "agent/damage_log.h"
#include "agent/log/log.h"
#include "agent/redaction.h"
#include "agent/refusal_log.h"
#include "forwarders/give_up.h"
#include "forwarders/side_lanes.h"
#include "wal/base/notifier.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;

http::TransportOptions transport_options(const config::Destination& d) {
  http::TransportOptions options;
  options.url = d.url.text;
  options.tls.ca_file = d.tls.ca_file;
  options.tls.cert_file = d.tls.cert_file;
  options.tls.key_file = d.tls.key_file;
  options.tls.server_name = d.tls.server_name;
  options.auth.bearer_file = d.auth.bearer_file;
  if (d.auth.basic) {
    options.auth.username = d.auth.basic->username;
    options.auth.password_file = d.auth.basic->password_file;
  }
  options.warn = [name = d.name](std::string_view sentence) {
    log::event(log::Level::warn, sentence, {{"destination", name}});
  };
  return options;
}

// Stopping is said once, by the agent.
void log_change(const std::string& destination, const Redaction& redact, const forward::StateChange& change) {
  if (change.to == forward::State::stopped) return;
  const bool well = change.to == forward::State::up || change.to == forward::State::replaying;
  const log::Level level = well ? log::Level::info : log::Level::warn;
  const std::string sentence = fmt::format("destination is {}", to_string(change.to));
  const log::Field of("destination", destination);
  const log::Field before("before", to_string(change.from));
  if (change.sentence.empty())
    log::event(level, sentence, {of, before});
  else
    log::event(level, sentence, {of, before, {"because", for_log(redact(change.sentence))}});
}

}  // namespace

Network over_tcp(boost::asio::io_context& io, Clock& clock) {
  return [&io, &clock](http::TransportOptions options) -> Result<std::unique_ptr<http::Transport>> {
    auto transport = http::BeastTransport::create(io, clock, std::move(options));
    if (!transport) return transport.error();
    return std::move(*transport);
  };
}

Result<std::unique_ptr<http::Transport>> make_transport(const Network& network,
                                                        const config::Destination& destination) {
  auto transport = network(transport_options(destination));
  if (transport) return std::move(*transport);
  return fail(transport.error().code,
              fmt::format("destination {}: {}", destination.name, transport.error().detail));
}

struct Deliveries::Delivery {
  Delivery(const config::Destination& destination, std::unique_ptr<forward::Destination> spoken,
           std::unique_ptr<http::Transport> way)
      : config(destination),
        redact(destination),
        refusals(destination.name),
        protocol(std::move(spoken)),
        transport(std::move(way)) {}

  const config::Destination& config;
  const Redaction redact;
  RefusalLog refusals;
  const std::unique_ptr<forward::Destination> protocol;
  const std::unique_ptr<http::Transport> transport;
  std::unique_ptr<forward::Sender> sender;
  std::optional<DamageLog> damage;  // of what the sender passes over
};

Deliveries::Deliveries(wal::Queue& queue, Clock& clock, std::string lane_name, LaneId lane,
                       wal::SignalId memory)
    : queue_(queue), clock_(clock), lane_name_(std::move(lane_name)), lane_(lane), memory_(memory) {}
Deliveries::~Deliveries() = default;

void Deliveries::add(const config::Destination& destination, std::unique_ptr<forward::Destination> protocol,
                     std::unique_ptr<http::Transport> transport, forward::SenderOptions options) {
  auto delivery = std::make_unique<Delivery>(destination, std::move(protocol), std::move(transport));
  options.lane_name = lane_name_;
  options.lane = lane_;
  options.memory = memory_;
  std::random_device seeds;
  options.seed = std::uint64_t{seeds()} << 32 | seeds();
  options.on_change = [name = destination.name, &redact = delivery->redact](
                          const forward::StateChange& change) { log_change(name, redact, change); };
  options.on_refusal = [this, &to = *delivery](forward::Refusal refusal) {
    refusal.sentence = to.redact(std::move(refusal.sentence));
    to.refusals.note(refusal, clock_.now());
  };
  delivery->sender = std::make_unique<forward::Sender>(queue_, *delivery->protocol, *delivery->transport,
                                                       clock_, std::move(options));
  delivery->damage.emplace(destination.name, delivery->sender->status());
  deliveries_.push_back(std::move(delivery));
}

void Deliveries::keep_detached(const forward::SenderOptions& bounds) {
  for (const wal::CursorUsage& gone : detached()) {
    const auto open = [&](std::string_view side, std::uint64_t max_bytes) {
      const std::string name = forward::side_lane_name(lane_name_, side, gone.name);
      if (queue_.find_lane(name)) queue_.open_lane(name, {max_bytes, false, memory_});
    };
    open(forward::kParkedLane, bounds.parked_bytes_max);
    open(forward::kQuarantineLane, bounds.quarantine_bytes_max);
  }
}

void Deliveries::spawn(TaskGroup& tasks) {
  for (const auto& delivery : deliveries_) tasks.spawn(delivery->sender->run());
}

// A receiver that is away is not waited for: its backlog is safe where it is.
awaitable<void> Deliveries::drain_until(Time deadline) {
  const auto moving = [this] {
    return std::any_of(deliveries_.begin(), deliveries_.end(), [](const auto& delivery) {
      const forward::SenderStatus status = delivery->sender->status();
      const bool well = status.state == forward::State::up || status.state == forward::State::replaying;
      return well && status.failures == 0 && status.main.behind.records > 0;
    });
  };
  while (clock_.now() < deadline && moving()) co_await sleep_until(clock_, clock_.now() + 20ms);
}

void Deliveries::stop() {
  for (const auto& delivery : deliveries_) delivery->sender->stop();
}

void Deliveries::retry_now() {
  for (const auto& delivery : deliveries_) delivery->sender->retry_now();
}

Result<> Deliveries::drop_cursor(std::string_view destination) {
  for (const auto& delivery : deliveries_)
    if (delivery->config.name == destination)
      return fail(Errc::bad_input,
                  fmt::format("{} is in the configuration: remove it there first", destination));
  auto dropped = forward::give_up_destination(queue_, lane_name_, destination);
  if (dropped)
    log::event(log::Level::warn, "an operator dropped a cursor", {{"destination", std::string(destination)}});
  return dropped;
}

void Deliveries::observe() {
  for (const auto& delivery : deliveries_) {
    delivery->refusals.write_due(clock_.now());
    delivery->damage->look(delivery->sender->status());
  }
}

std::vector<admin::DestinationSnapshot> Deliveries::describe() const {
  std::vector<admin::DestinationSnapshot> all;
  for (const auto& delivery : deliveries_) all.push_back(describe(*delivery));
  for (const wal::CursorUsage& gone : detached()) all.push_back(describe(gone));
  return all;
}

admin::DestinationSnapshot Deliveries::describe(const Delivery& delivery) const {
  const forward::SenderStatus status = delivery.sender->status();
  admin::DestinationSnapshot d;
  d.name = delivery.config.name;
  d.url = config::print(delivery.config.url);
  d.required = delivery.config.required;
  d.state = to_string(status.state);
  d.since_ms = to_unix_ms(status.since);
  d.last_error = delivery.redact(status.last_error);
  if (status.last_success) d.last_success_ms = to_unix_ms(*status.last_success);
  d.behind = status.main.behind;
  d.oldest_ms = status.main.oldest_ms;
  d.samples_per_second = status.units_per_second;
  d.requests = status.requests;
  d.sent_samples = status.sent_units;
  d.sent_bytes = status.sent_bytes;
  d.retries = status.retries;
  d.account.accepted = status.main.accepted.units;
  d.account.ledger = status.main.ledger;
  d.account.ledger += status.parked.ledger;
  d.account.ledger += status.quarantine.ledger;
  d.account.waiting = status.main.behind.units;
  d.account.parked = status.parked.behind.units + pending(forward::kParkedLane, d.name);
  d.account.quarantined = status.quarantine.behind.units + pending(forward::kQuarantineLane, d.name);
  return d;
}

// Set aside by an acknowledgement that is not durable yet: in no cursor's account, and not lost.
std::uint64_t Deliveries::pending(std::string_view side, std::string_view destination) const {
  const auto lane = queue_.find_lane(forward::side_lane_name(lane_name_, side, destination));
  return lane ? queue_.usage(*lane).pending_units : 0;
}

// Cursors of destinations that are not in the config any more: they keep their backlog, as best effort, until
// an operator drops them.
std::vector<wal::CursorUsage> Deliveries::detached() const {
  std::vector<wal::CursorUsage> cursors = queue_.cursors(lane_);
  std::erase_if(cursors, [this](const wal::CursorUsage& c) {
    return std::any_of(deliveries_.begin(), deliveries_.end(),
                       [&c](const auto& delivery) { return delivery->config.name == c.name; });
  });
  return cursors;
}

admin::DestinationSnapshot Deliveries::describe(const wal::CursorUsage& gone) const {
  admin::DestinationSnapshot d;
  d.name = gone.name;
  d.required = false;
  d.state = "detached";
  d.behind = gone.behind;
  d.account.accepted = gone.accepted.units;
  d.account.ledger = gone.ledger;
  d.account.waiting = gone.behind.units;
  const auto add_side = [&](std::string_view side) {
    std::uint64_t units = pending(side, gone.name);
    const auto lane = queue_.find_lane(forward::side_lane_name(lane_name_, side, gone.name));
    if (!lane) return units;
    for (const wal::CursorUsage& aside : queue_.cursors(*lane)) {
      if (aside.name != gone.name) continue;
      d.account.ledger += aside.ledger;
      units += aside.behind.units;
    }
    return units;
  };
  d.account.parked = add_side(forward::kParkedLane);
  d.account.quarantined = add_side(forward::kQuarantineLane);
  return d;
}

}  // namespace tideover
