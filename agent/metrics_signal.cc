#include "agent/metrics_signal.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <utility>

#include "agent/damage_log.h"
#include "agent/log/log.h"
#include "agent/refusal_log.h"
#include "agent/sender_options.h"
#include "agent/version.h"
#include "forwarders/give_up.h"
#include "forwarders/side_lanes.h"
#include "wal/base/notifier.h"
#include "wal/queue_state.h"
#include "wal/retention.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLane = "metrics";

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

thanos::ThanosOptions thanos_options(const config::Config& config, const config::Destination& d) {
  thanos::ThanosOptions options;
  options.tenant = d.tenant;
  options.external_labels = config.metrics->external_labels;
  for (const auto& [name, value] : d.headers) options.headers.add(name, value);
  options.user_agent = fmt::format("tideover/{}", version().version);
  return options;
}

Result<std::unique_ptr<http::Transport>> make_transport(const Network& network,
                                                        const config::Destination& destination) {
  auto transport = network(transport_options(destination));
  if (transport) return std::move(*transport);
  return fail(transport.error().code,
              fmt::format("destination {}: {}", destination.name, transport.error().detail));
}

// Stopping is said once, by the agent.
void log_change(const std::string& destination, const forward::StateChange& change) {
  if (change.to == forward::State::stopped) return;
  const bool well = change.to == forward::State::up || change.to == forward::State::replaying;
  const log::Level level = well ? log::Level::info : log::Level::warn;
  const std::string sentence = fmt::format("destination is {}", to_string(change.to));
  const log::Field of("destination", destination);
  const log::Field before("before", to_string(change.from));
  if (change.sentence.empty())
    log::event(level, sentence, {of, before});
  else
    log::event(level, sentence, {of, before, {"because", for_log(change.sentence)}});
}

}  // namespace

Network over_tcp(boost::asio::io_context& io, Clock& clock) {
  return [&io, &clock](http::TransportOptions options) -> Result<std::unique_ptr<http::Transport>> {
    auto transport = http::BeastTransport::create(io, clock, std::move(options));
    if (!transport) return transport.error();
    return std::move(*transport);
  };
}

struct MetricsSignal::Delivery {
  Delivery(const config::Config& agent, const config::Destination& destination)
      : config(destination), refusals(destination.name), thanos(thanos_options(agent, destination)) {}

  const config::Destination& config;
  RefusalLog refusals;
  thanos::ThanosDestination thanos;
  std::unique_ptr<http::Transport> transport;
  std::unique_ptr<forward::Sender> sender;
  std::optional<DamageLog> damage;  // of what the sender passes over
};

MetricsSignal::MetricsSignal(boost::asio::io_context& io, Clock& clock, wal::Queue& queue,
                             const wal::WalMetrics& wal, const config::Config& config,
                             const Settings& settings, Network network)
    : io_(io),
      clock_(clock),
      queue_(queue),
      wal_(wal),
      config_(config),
      settings_(settings),
      network_(network ? std::move(network) : over_tcp(io, clock)) {}

MetricsSignal::~MetricsSignal() = default;

Result<> MetricsSignal::rehearse(boost::asio::io_context& io, Clock& clock, const config::Config& config) {
  if (!config.metrics) return {};
  const Network network = over_tcp(io, clock);
  for (const config::Destination& destination : config.metrics->destinations)
    if (auto transport = make_transport(network, destination); !transport) return transport.error();
  return {};
}

Result<> MetricsSignal::open() {
  lane_ = queue_.open_lane(kLane, {settings_.metrics_max_bytes, true});
  std::random_device seeds;
  for (const config::Destination& d : config_.metrics->destinations) {
    auto delivery = std::make_unique<Delivery>(config_, d);
    auto transport = make_transport(network_, d);
    if (!transport) return transport.error();
    delivery->transport = std::move(*transport);

    forward::SenderOptions options = sender_options(d, settings_);
    options.lane_name = kLane;
    options.lane = lane_;
    options.seed = std::uint64_t{seeds()} << 32 | seeds();
    options.on_change = [name = d.name](const forward::StateChange& change) { log_change(name, change); };
    options.on_refusal = [this, &log = delivery->refusals](const forward::Refusal& refusal) {
      log.note(refusal, clock_.now());
    };
    delivery->sender =
        std::make_unique<forward::Sender>(queue_, delivery->thanos, *delivery->transport, clock_, options);
    delivery->damage.emplace(d.name, delivery->sender->status());
    deliveries_.push_back(std::move(delivery));
  }
  // What is set aside for a destination that is gone stays in its bounds, and is accounted for.
  for (const wal::CursorUsage& gone : detached()) {
    const auto open = [&](std::string_view side, std::uint64_t max_bytes) {
      queue_.open_lane(forward::side_lane_name(kLane, side, gone.name), {max_bytes, false});
    };
    open(forward::kParkedLane, settings_.parked_max_bytes);
    open(forward::kQuarantineLane, forward::SenderOptions().quarantine_bytes_max);
  }
  intake_ = std::make_unique<ingest::RemoteWriteIntake>(queue_, lane_, clock_, intake_metrics_);
  return boost::system::in_place_value;
}

Result<> MetricsSignal::listen(server::Sockets inherited) {
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
  server_ = std::make_unique<server::HttpServer>(io_, clock_, settings_.intake_server, std::move(routes));
  server_->on_warning([](std::string_view sentence) { log::event(log::Level::warn, sentence); });
  return server_->listen(config::print(config_.metrics->listen), std::move(inherited));
}

void MetricsSignal::spawn_senders(TaskGroup& tasks) {
  for (const auto& delivery : deliveries_) tasks.spawn(delivery->sender->run());
}

awaitable<void> MetricsSignal::close_intake(Time deadline) {
  if (server_) co_await server_->stop(deadline);
}

// A receiver that is away is not waited for: its backlog is safe where it is.
awaitable<void> MetricsSignal::drain_until(Time deadline) {
  const auto moving = [this] {
    return std::any_of(deliveries_.begin(), deliveries_.end(), [](const auto& delivery) {
      const forward::SenderStatus status = delivery->sender->status();
      const bool well = status.state == forward::State::up || status.state == forward::State::replaying;
      return well && status.failures == 0 && status.main.behind.records > 0;
    });
  };
  while (clock_.now() < deadline && moving()) co_await sleep_until(clock_, clock_.now() + 20ms);
}

void MetricsSignal::stop_senders() {
  for (const auto& delivery : deliveries_) delivery->sender->stop();
}

void MetricsSignal::retry_now() {
  for (const auto& delivery : deliveries_) delivery->sender->retry_now();
}

Result<> MetricsSignal::drop_cursor(std::string_view destination) {
  for (const auto& delivery : deliveries_)
    if (delivery->config.name == destination)
      return fail(Errc::bad_input,
                  fmt::format("{} is in the configuration: remove it there first", destination));
  auto dropped = forward::give_up_destination(queue_, kLane, destination);
  if (dropped)
    log::event(log::Level::warn, "an operator dropped a cursor", {{"destination", std::string(destination)}});
  return dropped;
}

void MetricsSignal::observe() {
  for (const auto& delivery : deliveries_) {
    delivery->refusals.write_due(clock_.now());
    delivery->damage->look(delivery->sender->status());
  }
  survivability_.observe(clock_.now(), wal_.appended_bytes);
  log_refusal();
  log_guarantee();
}

// A buffer is full for the requests that come, not for a byte: would the one that was refused last be refused
// now?
std::optional<wal::Refusal> MetricsSignal::refusal() const {
  return queue_.refusal(lane_, intake_metrics_.refused_bytes);
}

void MetricsSignal::log_refusal() {
  const auto refusal = this->refusal();
  const std::string sentence = refusal ? refusal->sentence : std::string();
  if (sentence.empty() == refusing_.empty()) return;
  refusing_ = sentence;
  if (refusal)
    log::event(log::Level::error, "new samples are refused with 503", {{"because", sentence}});
  else
    log::event(log::Level::info, "new samples are taken again");
}

void MetricsSignal::log_guarantee() {
  const auto seconds = buffer().survivable_seconds;
  const double promised = std::chrono::duration<double>(config_.guarantee).count();
  const bool below = seconds && *seconds < promised;
  if (below == below_guarantee_) return;
  below_guarantee_ = below;
  if (below)
    log::event(log::Level::warn,
               "the buffer would not last as long as promised: raise metrics.max_bytes, or lower guarantee",
               {{"survivable_seconds", static_cast<std::int64_t>(*seconds)},
                {"guarantee_seconds", static_cast<std::int64_t>(promised)}});
  else
    log::event(log::Level::info, "the buffer lasts as long as promised again");
}

admin::BufferSnapshot MetricsSignal::buffer() const {
  admin::BufferSnapshot b;
  const wal::LaneUsage usage = queue_.usage(lane_);
  const wal::StoreUsage store = queue_.store_usage();
  for (const wal::CursorUsage& c : queue_.cursors(lane_)) {
    if (c.behind.bytes >= b.held.bytes) b.held = c.behind;
    if (c.oldest_ms != 0 && (b.oldest_ms == 0 || c.oldest_ms < b.oldest_ms)) b.oldest_ms = c.oldest_ms;
  }
  b.max_bytes = usage.max_bytes;
  b.newest_ms = intake_metrics_.newest_ms;
  b.disk_bytes = store.disk_bytes;
  b.memory_bytes = store.memory_bytes;
  b.unreadable_pages = store.unreadable_pages;
  b.free_bytes = store.free_bytes;
  b.total_bytes = store.total_bytes;
  b.floor_bytes = wal::floor_bytes({store.free_bytes, store.total_bytes}, settings_.wal);
  const std::uint64_t budget_room = b.max_bytes > b.held.bytes ? b.max_bytes - b.held.bytes : 0;
  const std::uint64_t disk_room = b.free_bytes > b.floor_bytes ? b.free_bytes - b.floor_bytes : 0;
  b.survivable_seconds = survivability_.seconds(std::min(budget_room, disk_room));
  if (const auto now = refusal()) b.refusing = now->sentence;
  return b;
}

void MetricsSignal::describe(admin::Snapshot& snapshot) const {
  snapshot.buffer = buffer();
  snapshot.intake = intake_metrics_;
  if (server_) snapshot.server = server_->metrics();
  snapshot.wal = wal_;
  for (const auto& delivery : deliveries_) {
    const forward::SenderStatus status = delivery->sender->status();
    admin::DestinationSnapshot d;
    d.name = delivery->config.name;
    d.url = delivery->config.url.text;
    d.required = delivery->config.required;
    d.state = to_string(status.state);
    d.since_ms = to_unix_ms(status.since);
    d.last_error = status.last_error;
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
    snapshot.destinations.push_back(std::move(d));
  }
  describe_detached(snapshot);
}

// Set aside by an acknowledgement that is not durable yet: in no cursor's account, and not lost.
std::uint64_t MetricsSignal::pending(std::string_view side, std::string_view destination) const {
  const auto lane = queue_.find_lane(forward::side_lane_name(kLane, side, destination));
  return lane ? queue_.usage(*lane).pending_units : 0;
}

// Cursors of destinations that are not in the config any more: they keep their backlog, as best effort, until
// an operator drops them.
std::vector<wal::CursorUsage> MetricsSignal::detached() const {
  std::vector<wal::CursorUsage> cursors = queue_.cursors(lane_);
  std::erase_if(cursors, [this](const wal::CursorUsage& c) {
    return std::any_of(deliveries_.begin(), deliveries_.end(),
                       [&c](const auto& delivery) { return delivery->config.name == c.name; });
  });
  return cursors;
}

void MetricsSignal::describe_detached(admin::Snapshot& snapshot) const {
  for (const wal::CursorUsage& c : detached()) {
    admin::DestinationSnapshot d;
    d.name = c.name;
    d.required = false;
    d.state = "detached";
    d.behind = c.behind;
    d.account.accepted = c.accepted.units;
    d.account.ledger = c.ledger;
    d.account.waiting = c.behind.units;
    const auto add_side = [&](std::string_view side) {
      std::uint64_t units = pending(side, c.name);
      for (const wal::CursorUsage& aside :
           queue_.cursors(wal::lane_id(forward::side_lane_name(kLane, side, c.name)))) {
        if (aside.name != c.name) continue;
        d.account.ledger += aside.ledger;
        units += aside.behind.units;
      }
      return units;
    };
    d.account.parked = add_side(forward::kParkedLane);
    d.account.quarantined = add_side(forward::kQuarantineLane);
    snapshot.destinations.push_back(std::move(d));
  }
}

}  // namespace tideover
