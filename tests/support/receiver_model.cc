#include "tests/support/receiver_model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/support/write_request_builder.h"

namespace tideover::sim {
namespace {

using remote_write::Version;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

http::Response plain(int status, std::string text) {
  return {
      .status = status, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(text)};
}

std::string_view words(Refused why) {
  switch (why) {
    case Refused::out_of_bounds: return "out of bounds";
    case Refused::too_old: return "too old sample";
    case Refused::out_of_order: return "out of order sample";
    case Refused::duplicate: return "duplicate sample for timestamp";
    case Refused::labels: return "out of order labels";
  }
  return {};
}

}  // namespace

// What became of the samples of one request, and what to call it.
struct ReceiverModel::Tally {
  std::array<std::uint64_t, 5> refused{};  // by Refused
  std::uint64_t written = 0;
  std::uint64_t written_histograms = 0;

  std::uint64_t total_refused() const {
    return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
  }
};

void ReceiverModel::restart(Time ready, bool lose_head) {
  ready_ = ready;
  if (!lose_head) return;
  head_.clear();
  head_max_ms_ = kNever;
}

void ReceiverModel::advance_head(std::int64_t ts_ms) { head_max_ms_ = std::max(head_max_ms_, ts_ms); }

std::optional<http::Response> ReceiverModel::misbehave() {
  const auto with_retry_after = [this](http::Response response) {
    if (rng_.chance(faults_.retry_after))
      response.headers.add("Retry-After", std::to_string(1 + rng_.below(30)));
    return response;
  };
  if (clock_.now() < ready_) return plain(503, "TSDB not ready\n");
  if (rng_.chance(faults_.throttles)) return with_retry_after(plain(429, "too many requests\n"));
  if (rng_.chance(faults_.forbids)) return plain(rng_.chance(0.5) ? 401 : 404, "not here\n");
  if (rng_.chance(faults_.fails)) return with_retry_after(plain(rng_.chance(0.5) ? 500 : 503, "no quorum\n"));
  return std::nullopt;
}

// tsdb/head_append.go, memSeries.appendable; nullopt: taken (or known already, which is the same to a
// sender).
std::optional<Refused> ReceiverModel::judge(const Sample& sample, std::int64_t head_max,
                                            std::int64_t oldest_valid) const {
  const auto series = head_.find(sample.series);
  if (sample.ts_ms >= oldest_valid) {
    if (series == head_.end() || sample.ts_ms > series->second.newest_ms) return std::nullopt;
    if (sample.ts_ms == series->second.newest_ms)
      return series->second.points.at(sample.ts_ms) == sample.bits ? std::nullopt
                                                                   : std::optional(Refused::duplicate);
  }
  const std::int64_t window_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(rules_.out_of_order_window).count();
  if (window_ms == 0) return sample.ts_ms < oldest_valid ? Refused::out_of_bounds : Refused::out_of_order;
  if (head_max != kNever && sample.ts_ms < head_max - window_ms) return Refused::too_old;
  // The out-of-order chunk knows only itself; a second value at one timestamp would be merged away when
  // queried.
  if (series == head_.end()) return std::nullopt;
  const auto point = series->second.points.find(sample.ts_ms);
  if (point == series->second.points.end() || point->second == sample.bits) return std::nullopt;
  return Refused::duplicate;
}

void ReceiverModel::store(const Sample& sample) {
  Series& series = head_[sample.series];
  // Without a window, samples that are out of order inside one request are dropped at commit, and nobody is
  // told.
  const bool late = sample.ts_ms < series.newest_ms && rules_.out_of_order_window == Duration{};
  if (late) return;
  const auto known = series.points.find(sample.ts_ms);
  if (known != series.points.end() && known->second != sample.bits) return witness_.swallowed(sample);
  series.points.try_emplace(sample.ts_ms, sample.bits);
  series.newest_ms = std::max(series.newest_ms, sample.ts_ms);
  head_max_ms_ = std::max(head_max_ms_, sample.ts_ms);
  witness_.stored(sample);
}

http::Response ReceiverModel::receive(const http::Request& request) {
  ++requests_;
  const bool version2 = request.headers.find("X-Prometheus-Remote-Write-Version") == "2.0.0";
  const test::Contents contents =
      test::contents_of(test::snappy_plain(request.body), version2 ? Version::v2 : Version::v1);
  std::vector<Sample> samples;
  for (const test::Point& point : contents.points) samples.push_back(sample_of(point, names_));
  for (const Sample& sample : samples) witness_.seen(sample);

  if (auto refusal = misbehave()) return *refusal;
  if (rules_.samples_max > 0 && samples.size() > rules_.samples_max)
    return plain(413, "too many samples in request\n");
  const bool thanos = rules_.kind == ReceiverRules::Kind::thanos_0_42;
  if (thanos && version2) return plain(200, "");  // read as an empty message of 1.0

  // One appender per request: the window is fixed when it starts.
  const std::int64_t head_max = head_max_ms_;
  const std::int64_t oldest_valid = head_max == kNever ? kNever : head_max - kHourMs;
  Tally tally;
  std::vector<Sample> taken;
  std::uint64_t histograms_taken = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    const auto why = contents.sorted || !thanos ? judge(sample, head_max, oldest_valid) : Refused::labels;
    if (why) {
      ++tally.refused[static_cast<std::size_t>(*why)];
      witness_.refused(sample, *why);
    } else {
      taken.push_back(sample);
      if (!contents.points[i].histogram.empty()) ++histograms_taken;
    }
  }
  // Prometheus takes a message of 1.0 whole or not at all.
  const bool rolled_back = !thanos && !version2 && tally.total_refused() > 0;
  if (!rolled_back) {
    for (const Sample& sample : taken) store(sample);
    tally.written_histograms = histograms_taken;
    tally.written = taken.size() - histograms_taken;
  }
  if (rng_.chance(faults_.fails_after)) return plain(rng_.chance(0.5) ? 500 : 503, "lost a replica\n");
  return thanos ? answer_of_thanos(tally) : answer_of_prometheus(tally, contents, version2);
}

http::Response ReceiverModel::answer_of_thanos(const Tally& tally) {
  if (tally.total_refused() == 0) return plain(200, "");
  std::vector<std::string> errors;
  for (std::size_t i = 0; i < tally.refused.size(); ++i) {
    const Refused why = static_cast<Refused>(i);
    if (tally.refused[i] == 0) continue;
    const std::string_view unit = why == Refused::labels ? "series" : "samples";
    errors.push_back(fmt::format("add {} {}: {}", tally.refused[i], unit, words(why)));
  }
  std::string text =
      errors.size() == 1 ? errors[0] : fmt::format("{} errors: {}", errors.size(), fmt::join(errors, "; "));
  return plain(409, "store locally for endpoint 127.0.0.1:10901: writing locally: " + text + "\n");
}

http::Response ReceiverModel::answer_of_prometheus(const Tally& tally, const test::Contents& contents,
                                                   bool version2) {
  http::Response response = plain(204, "");
  for (std::size_t i = tally.refused.size(); i-- > 0;)
    if (tally.refused[i] > 0) response = plain(400, std::string(words(static_cast<Refused>(i))) + "\n");
  if (!version2) return response;
  response.headers.add("X-Prometheus-Remote-Write-Samples-Written", std::to_string(tally.written));
  response.headers.add("X-Prometheus-Remote-Write-Histograms-Written",
                       std::to_string(tally.written_histograms));
  response.headers.add("X-Prometheus-Remote-Write-Exemplars-Written",
                       std::to_string(contents.exemplars.size()));
  return response;
}

}  // namespace tideover::sim
