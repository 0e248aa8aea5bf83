#include "agent/deliveries.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <utility>

#include "agent/admin/progress.h"
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

// Its oldest goes when it is in the way of others, so that its age changes now and then.
constexpr Duration kLookInterval = 1min;

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
void log_change(const std::string& signal, const std::string& destination, const Redaction& redact,
                const forward::StateChange& change) {
  if (change.to == forward::State::stopped) return;
  const bool well = change.to == forward::State::up || change.to == forward::State::replaying;
  const log::Level level = well ? log::Level::info : log::Level::warn;
  const std::string sentence = fmt::format("destination is {}", to_string(change.to));
  const log::Field by("signal", signal);
  const log::Field of("destination", destination);
  const log::Field before("before", to_string(change.from));
  if (change.sentence.empty())
    log::event(level, sentence, {by, of, before});
  else
    log::event(level, sentence, {by, of, before, {"because", for_log(redact(change.sentence))}});
}

void log_detached(const std::string& signal, const forward::Detached& gone) {
  const auto count = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  log::event(
      gone.keeps_data() ? log::Level::warn : log::Level::info,
      "a destination that is not in the configuration any more keeps what it had: put it back, or give "
      "it up with tideover buffer drop-cursor",
      {{"signal", signal},
       {"destination", gone.main.name},
       {"waiting", count(gone.main.behind.units)},
       {"parked", count(gone.parked.units)},
       {"quarantined", count(gone.quarantined.units)},
       {"dead_letters", count(gone.dead_letters.records)},
       {"bytes", count(gone.main.behind.bytes + gone.parked.bytes + gone.quarantined.bytes)}});
}

admin::Progress::Look look_at(const forward::SenderStatus& status) {
  admin::Progress::Look look;
  look.accepted = status.main.accepted.units;
  look.answered = status.main.ledger.delivered + status.main.ledger.diverted;
  for (std::size_t i = 0; i < wal::kReasons; ++i)
    if (wal::is_rejection(static_cast<wal::Reason>(i))) look.answered += status.main.ledger.lost[i];
  look.flowing = status.state == forward::State::up || status.state == forward::State::replaying;
  return look;
}

admin::DestinationSnapshot admin_view(const forward::Detached& gone) {
  admin::DestinationSnapshot d;
  d.name = gone.main.name;
  d.required = false;
  d.state = "detached";
  d.behind = gone.main.behind;
  d.oldest_ms = gone.main.oldest_ms;
  d.account.accepted = gone.main.accepted.units;
  d.account.ledger = gone.main.ledger;
  d.account.ledger += gone.aside;
  d.account.waiting = gone.main.behind.units;
  d.account.parked = gone.parked.units;
  d.account.quarantined = gone.quarantined.units;
  return d;
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
  Delivery(const std::string& signal, const config::Destination& destination,
           std::unique_ptr<forward::Destination> spoken, std::unique_ptr<http::Transport> way)
      : config(destination),
        redact(destination),
        refusals(signal, destination.name),
        protocol(std::move(spoken)),
        transport(std::move(way)) {}

  const config::Destination& config;
  const Redaction redact;
  RefusalLog refusals;
  const std::unique_ptr<forward::Destination> protocol;
  const std::unique_ptr<http::Transport> transport;
  std::unique_ptr<forward::Sender> sender;
  std::optional<DamageLog> damage;  // of what the sender passes over
  admin::Progress progress;
};

Deliveries::Deliveries(wal::Queue& queue, Clock& clock, std::string lane_name, LaneId lane,
                       wal::SignalId memory)
    : queue_(queue),
      clock_(clock),
      lane_name_(std::move(lane_name)),
      lane_(lane),
      memory_(memory),
      stop_looking_(clock) {}
Deliveries::~Deliveries() = default;

void Deliveries::add(const config::Destination& destination, std::unique_ptr<forward::Destination> protocol,
                     std::unique_ptr<http::Transport> transport, forward::SenderOptions options) {
  auto delivery =
      std::make_unique<Delivery>(lane_name_, destination, std::move(protocol), std::move(transport));
  options.lane_name = lane_name_;
  options.lane = lane_;
  options.memory = memory_;
  std::random_device seeds;
  options.seed = std::uint64_t{seeds()} << 32 | seeds();
  options.on_change = [signal = lane_name_, name = destination.name, &redact = delivery->redact](
                          const forward::StateChange& change) { log_change(signal, name, redact, change); };
  options.on_refusal = [this, &to = *delivery](forward::Refusal refusal) {
    refusal.sentence = to.redact(std::move(refusal.sentence));
    to.refusals.note(refusal, clock_.now());
  };
  delivery->sender = std::make_unique<forward::Sender>(queue_, *delivery->protocol, *delivery->transport,
                                                       clock_, std::move(options));
  delivery->damage.emplace(lane_name_, destination.name, delivery->sender->status());
  configured_.push_back(destination.name);
  deliveries_.push_back(std::move(delivery));
}

void Deliveries::freeze_detached(forward::SenderOptions bounds) {
  bounds.memory = memory_;
  for (const forward::Detached& gone : detached())
    left_.push_back(forward::freeze(queue_, lane_name_, lane_, gone, bounds));
  give_up_empty();
  for (const forward::Detached& gone : detached()) log_detached(lane_name_, gone);
}

void Deliveries::give_up_empty() {
  for (std::string& name : forward::give_up_empty(queue_, lane_name_, lane_, configured_))
    log::event(log::Level::info,
               "a destination that is not in the configuration any more kept nothing, and is forgotten",
               {{"signal", lane_name_}, {"destination", std::move(name)}});
}

void Deliveries::spawn(TaskGroup& tasks) {
  for (const auto& delivery : deliveries_) tasks.spawn(delivery->sender->run());
  if (!left_.empty()) tasks.spawn(look_at_left());
}

// Nobody reads what is kept for destinations that are gone, and the age of its oldest is only known of what
// was read.
awaitable<void> Deliveries::look_at_left() {
  while (!stopping_) {
    for (const wal::CursorId cursor : left_) {
      const auto oldest = co_await queue_.read(cursor, 1);
      (void)oldest;  // it may have been dropped meanwhile
    }
    if (!stopping_) co_await stop_looking_.wait_until(clock_.now() + kLookInterval);
  }
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
  stopping_ = true;
  stop_looking_.notify();
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
    const forward::SenderStatus status = delivery->sender->status();
    delivery->damage->look(status);
    delivery->progress.observe(clock_.now(), look_at(status));
  }
  give_up_empty();
}

std::vector<admin::DestinationSnapshot> Deliveries::describe() const {
  std::vector<admin::DestinationSnapshot> all;
  for (const auto& delivery : deliveries_) all.push_back(describe(*delivery));
  for (const forward::Detached& gone : detached()) all.push_back(admin_view(gone));
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
  d.samples_per_second = delivery.progress.samples_per_second();
  d.eta_seconds = delivery.progress.eta_seconds(d.behind.units);
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

std::vector<forward::Detached> Deliveries::detached() const {
  return forward::detached(queue_, lane_name_, lane_, configured_);
}

}  // namespace tideover
