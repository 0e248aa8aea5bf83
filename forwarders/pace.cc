#include "forwarders/pace.h"

#include <algorithm>
#include <chrono>

namespace tideover::forward {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

constexpr double kLatencyWeight = 0.05;
constexpr double kThroughputWeight = 0.3;
// One overload is often told by several answers in a row; it is counted once.
constexpr Duration kOneOverload = std::chrono::seconds(1);

}  // namespace

double Pace::bytes_per_s() const {
  if (limits_.cap_bytes_per_s <= 0) return rate_;
  return rate_ > 0 ? std::min(rate_, limits_.cap_bytes_per_s) : limits_.cap_bytes_per_s;
}

void Pace::limit_to(double rate, Time now) {
  rate_ = std::max(rate, limits_.floor_bytes_per_s);
  grown_at_ = now;
}

void Pace::slow_start(Time now) {
  limit_to(rate_ > 0 ? std::min(rate_, limits_.start_bytes_per_s) : limits_.start_bytes_per_s, now);
}

void Pace::sent(Time now, std::uint64_t bytes) {
  const double rate = bytes_per_s();
  next_send_ =
      rate > 0 ? std::max(now, next_send_) + from_seconds(static_cast<double>(bytes) / rate) : Time{};
}

void Pace::passed(Time now, std::uint64_t bytes, Duration latency) {
  if (measured_at_ != Time{} && now > measured_at_) {
    const double rate = static_cast<double>(bytes) / seconds(now - measured_at_);
    throughput_ += kThroughputWeight * (rate - throughput_);
  }
  measured_at_ = now;

  const double taken = seconds(latency);
  const bool slow =
      latency > limits_.slow_answer && usual_latency_s_ > 0 && taken > limits_.slow_factor * usual_latency_s_;
  if (slow) {
    overloaded(now);
    return;
  }
  usual_latency_s_ =
      usual_latency_s_ == 0 ? taken : usual_latency_s_ + kLatencyWeight * (taken - usual_latency_s_);
  if (!limited()) return;
  // A pause between two requests earns no more than a second of growth.
  const double elapsed = std::min(1.0, seconds(now - grown_at_));
  limit_to(rate_ + limits_.growth_bytes_per_s2 * elapsed, now);
  if (rate_ >= limits_.unlimited_bytes_per_s) rate_ = 0;
}

void Pace::overloaded(Time now) {
  if (halved_at_ != Time{} && now - halved_at_ < kOneOverload) return;
  halved_at_ = now;
  if (limited())
    limit_to(rate_ / 2, now);
  else
    limit_to(throughput_ > 0 ? throughput_ / 2 : limits_.start_bytes_per_s, now);
}

}  // namespace tideover::forward
