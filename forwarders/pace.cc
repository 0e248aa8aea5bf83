#include "forwarders/pace.h"

#include <algorithm>
#include <chrono>

namespace tideover::forward {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

constexpr double kThroughputWeight = 0.3;
// One overload is often told by several answers in a row; it is counted once.
constexpr Duration kOneOverload = std::chrono::seconds(1);

}  // namespace

double Pace::bytes_per_s() const {
  if (limits_.cap_bytes_per_s <= 0) return rate_;
  return rate_ > 0 ? std::min(rate_, limits_.cap_bytes_per_s) : limits_.cap_bytes_per_s;
}

std::uint64_t Pace::comfortable_bytes() const {
  const std::optional<std::uint64_t> bytes = answers_.bytes_within(limits_.comfortable_time);
  return std::max(bytes.value_or(0), limits_.comfortable_bytes_min);
}

void Pace::limit_to(double rate, Time now) {
  const double inflow = limits_.inflow_bytes_per_s ? limits_.inflow_bytes_per_s() : 0;
  rate_ = std::max({rate, limits_.floor_bytes_per_s, limits_.floor_per_inflow * inflow});
  grown_at_ = now;
}

void Pace::slow_start(Time now) {
  limit_to(rate_ > 0 ? std::min(rate_, limits_.start_bytes_per_s) : limits_.start_bytes_per_s, now);
  // What went through before the outage says nothing about the time after it.
  measured_at_ = {};
  throughput_ = 0;
}

void Pace::sent(Time now, std::uint64_t bytes) {
  const double rate = bytes_per_s();
  next_send_ =
      rate > 0 ? std::max(now, next_send_) + from_seconds(static_cast<double>(bytes) / rate) : Time{};
}

void Pace::passed(Time now, std::uint64_t bytes, Duration latency) {
  if (measured_at_ != Time{} && now > measured_at_) {
    const double rate = static_cast<double>(bytes) / seconds(now - measured_at_);
    throughput_ = throughput_ == 0 ? rate : throughput_ + kThroughputWeight * (rate - throughput_);
  }
  measured_at_ = now;

  const Duration usual = answers_.usual(bytes);
  const bool slow = usual > Duration{} && latency > limits_.slow_answer &&
                    seconds(latency) > limits_.slow_factor * seconds(usual);
  answers_.learn(bytes, latency);
  if (slow) {
    overloaded(now);
    return;
  }
  if (!limited()) return;
  // A pause between two requests earns no more than a second of growth.
  const double elapsed = std::min(1.0, seconds(now - grown_at_));
  limit_to(rate_ + limits_.growth_bytes_per_s2 * elapsed, now);
  if (rate_ >= limits_.unlimited_bytes_per_s) rate_ = 0;
}

void Pace::overloaded(Time now) {
  if (halved_at_ != Time{} && now - halved_at_ < kOneOverload) return;
  halved_at_ = now;
  // Of what went through in truth: half of a rate that nothing came near would be no relief.
  const double carried = throughput_ > 0 ? throughput_ : 2 * limits_.start_bytes_per_s;
  limit_to((limited() ? std::min(rate_, carried) : carried) / 2, now);
}

}  // namespace tideover::forward
