#include "tests/sim/site.h"

#include <array>

#include "tests/sim/world.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kOftenEnough = 10min;  // between the starts of outages, restarts and so on

constexpr std::array kWindows{Duration{}, Duration(10min), Duration(4h)};

}  // namespace

Site::Site(SimClock& clock, Rng receiver_luck, Rng network_luck, Oracle& oracle, std::string the_destination,
           FaultCounts& happened)
    : destination(std::move(the_destination)),
      receiver(clock, receiver_luck, oracle.names(), oracle.witness(oracle.add_site(destination)), happened),
      network(
          clock, network_luck, [this](const http::Request& request) { return receiver.receive(request); },
          happened) {
  rules.out_of_order_window = 4h;
  apply();
}

void Site::apply() {
  receiver.set_rules(rules);
  receiver.set_faults(faults);
  network.set_weather(weather);
}

void Site::note_confusion() {
  confusing_ = rules.kind == ReceiverRules::Kind::cortex || weather.request_twice > 0 || faults.miscounts > 0;
}

Thanos& Thanos::fails(double often) {
  site_.faults.fails = often;
  site_.faults.retry_after = 0.3;
  return *this;
}

Thanos& Thanos::fails_after_storing(double often) {
  site_.faults.fails_after = often;
  return *this;
}

Thanos& Thanos::fails_partway(double often) {
  site_.faults.fails_partway = often;
  return *this;
}

Thanos& Thanos::chokes(double share) {
  site_.faults.chokes = share;
  return *this;
}

Thanos& Thanos::throttles(double often) {
  site_.faults.throttles = often;
  return *this;
}

Thanos& Thanos::forbids(double often) {
  site_.faults.forbids = often;
  return *this;
}

Thanos& Thanos::refuses_type(double often) {
  site_.faults.refuses_type = often;
  return *this;
}

Thanos& Thanos::miscounts(double often) {
  site_.faults.miscounts = often;
  return *this;
}

Thanos& Thanos::loses_replies(double often) {
  site_.weather.reply_lost = often;
  return *this;
}

Thanos& Thanos::breaks_replies(double often) {
  site_.weather.reply_truncated = often / 2;
  site_.weather.reply_garbled = often / 2;
  return *this;
}

Thanos& Thanos::resets(double often) {
  site_.weather.refused = often / 4;
  site_.weather.reset_before = often / 2;
  site_.weather.reset_after = often / 2;
  return *this;
}

Thanos& Thanos::answers_slowly(double often) {
  site_.weather.slow = often;
  return *this;
}

Thanos& Thanos::answers_late(double often) {
  site_.weather.reply_late = often;
  site_.weather.reply_twice = often;
  return *this;
}

Thanos& Thanos::hears_twice(double often) {
  site_.weather.request_twice = often;
  return *this;
}

Thanos& Thanos::is_away(Duration latency) {
  site_.weather.latency = latency;
  return *this;
}

Thanos& Thanos::lies_behind(const LineOptions& line) {
  site_.network.set_line(line);
  return *this;
}

Thanos& Thanos::is_gone() {
  site_.network.set_link(world_.chance().chance(0.5) ? Link::refusing : Link::black_hole);
  return *this;
}

Thanos& Thanos::window(Duration out_of_order) {
  site_.rules.out_of_order_window = out_of_order;
  return *this;
}

Thanos& Thanos::is_prometheus() {
  site_.rules.kind = ReceiverRules::Kind::prometheus_3;
  return *this;
}

Thanos& Thanos::is_cortex() {
  site_.rules.kind = ReceiverRules::Kind::cortex;
  return *this;
}

Thanos& Thanos::takes_at_most(std::size_t samples, std::size_t bytes) {
  site_.rules.samples_max = samples;
  site_.rules.bytes_max = bytes;
  return *this;
}

Thanos& Thanos::answers_up_to(std::size_t samples) {
  site_.rules.answers_up_to = samples;
  return *this;
}

Thanos& Thanos::never_admits(double share) {
  site_.rules.never_admits = share;
  return *this;
}

Thanos& Thanos::refuses_every_size(bool yes) {
  site_.rules.every_size_too_large = yes;
  site_.apply();
  return *this;
}

Thanos& Thanos::mumbles(bool yes) {
  site_.rules.mumbles = yes;
  site_.apply();
  return *this;
}

Thanos& Thanos::takes_labels_up_to(std::size_t bytes) {
  site_.rules.label_bytes_max = bytes;
  return *this;
}

Thanos& Thanos::changes_its_limits() {
  world_.every_and_at_crashes(kOftenEnough, [&world = world_, &site = site_] {
    world.happened(Fault::limit_changes);
    site.rules.every_size_too_large = world.chance().chance(0.15);
    site.rules.samples_max = world.chance().chance(0.3) ? 0 : 1 + world.chance().below(60);
    site.rules.bytes_max = world.chance().chance(0.5) ? 0 : 300 + world.chance().below(4000);
    site.apply();
  });
  return *this;
}

Thanos& Thanos::changes_its_window() {
  world_.every_and_at_crashes(2 * kOftenEnough, [&world = world_, &site = site_] {
    world.happened(Fault::window_changes);
    site.rules.out_of_order_window = kWindows[world.chance().below(kWindows.size())];
    site.apply();
  });
  return *this;
}

Thanos& Thanos::moves() {
  world_.every(kOftenEnough, [&world = world_, &site = site_] {
    constexpr std::array kAnswers{503, 502, 429, 404, 302};
    site.network.move(kAnswers[world.chance().below(kAnswers.size())]);
  });
  return *this;
}

Thanos& Thanos::down_for(Duration min, Duration max) {
  site_.down_min = min;
  site_.down_max = max;
  world_.every(kOftenEnough, [thanos = *this]() mutable { thanos.begin_outage(); });
  return *this;
}

void Thanos::begin_outage() {
  constexpr std::array kinds{Link::refusing, Link::black_hole, Link::resetting};
  site_.network.set_link(kinds[world_.chance().below(kinds.size())]);
  const Duration span = site_.down_max - site_.down_min;
  const Duration length =
      site_.down_min + std::chrono::duration_cast<Duration>(span * world_.chance().unit());
  world_.clock().call_at(world_.clock().now() + length,
                         [&network = site_.network] { network.set_link(Link::up); });
}

Thanos& Thanos::restarts(bool loses_head) {
  world_.every_and_at_crashes(kOftenEnough, [&world = world_, &site = site_, loses_head] {
    const auto time = std::chrono::duration_cast<Duration>(Duration(1min) * world.chance().unit());
    site.receiver.restart(world.clock().now() + time, loses_head);
  });
  return *this;
}

Thanos& Thanos::has_other_writers(Duration ahead) {
  const auto ahead_ms = std::chrono::duration_cast<std::chrono::milliseconds>(ahead).count();
  world_.every(30s, [&world = world_, &site = site_, ahead_ms] {
    site.receiver.advance_head(to_unix_ms(world.clock().true_now()) + ahead_ms);
  });
  return *this;
}

}  // namespace tideover::sim
