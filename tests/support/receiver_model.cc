#include "tests/support/receiver_model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "tests/support/write_request_builder.h"

namespace tideover::sim {
namespace {

using remote_write::Version;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
constexpr std::array kForbidding{401, 403, 404, 405, 302};
constexpr std::array kThrottling{429, 429, 429, 408, 425};

}  // namespace

void ReceiverModel::restart(Time ready, bool lose_head) {
  ready_ = ready;
  ++starts_;
  if (!lose_head) return;
  happened_.add(Fault::loses_head);
  head_.clear();
  head_max_ms_ = kNever;
}

void ReceiverModel::advance_head(std::int64_t ts_ms) {
  happened_.add(Fault::head_advanced);
  head_max_ms_ = std::max(head_max_ms_, ts_ms);
}

bool ReceiverModel::befalls(double often, Fault fault) {
  if (!rng_.chance(often)) return false;
  happened_.add(fault);
  return true;
}

std::optional<http::Response> ReceiverModel::misbehave() {
  const auto with_retry_after = [this](http::Response response) {
    if (befalls(faults_.retry_after, Fault::asks_for_patience))
      response.headers.add("Retry-After", std::to_string(1 + rng_.below(30)));
    return response;
  };
  if (clock_.now() < ready_) {
    happened_.add(Fault::not_ready);
    return plain(503, "TSDB not ready\n");
  }
  if (befalls(faults_.throttles, Fault::throttles))
    return with_retry_after(plain(kThrottling[rng_.below(kThrottling.size())], "too many requests\n"));
  if (befalls(faults_.forbids, Fault::forbids))
    return plain(kForbidding[rng_.below(kForbidding.size())], "not here\n");
  if (befalls(faults_.fails, Fault::fails_before_storing))
    return with_retry_after(plain(rng_.chance(0.5) ? 500 : 503, "no quorum\n"));
  return std::nullopt;
}

// The same ones whenever they come, until another version is started, with other mistakes.
bool ReceiverModel::chokes_on(const Sample& sample) const {
  Rng fate(std::uint64_t{sample.series} << 48 ^ static_cast<std::uint64_t>(sample.ts_ms) ^ starts_ << 40);
  return faults_.chokes > 0 && fate.chance(faults_.chokes);
}

std::optional<http::Response> ReceiverModel::too_large(const std::vector<Sample>& samples,
                                                       std::size_t raw_bytes) {
  if (rules_.every_size_too_large) {
    happened_.add(Fault::refuses_every_size);
    return plain(413, "<html>Request Entity Too Large</html>\n");
  }
  const bool many = rules_.samples_max > 0 && samples.size() > rules_.samples_max;
  const bool heavy = rules_.bytes_max > 0 && raw_bytes > rules_.bytes_max;
  if (!many && !heavy) return std::nullopt;
  happened_.add(Fault::refuses_size);
  if (samples.size() == 1) witness_.refused(samples.front(), Refused::too_large);
  return plain(413, "too many samples in request\n");
}

std::optional<http::Response> ReceiverModel::other_type(bool version2) {
  using Kind = ReceiverRules::Kind;
  if (version2 && rules_.kind == Kind::thanos_0_42) {  // read as an empty message of 1.0
    happened_.add(Fault::swallows_version2);
    return plain(200, "");
  }
  if (version2 && rules_.kind == Kind::cortex) {
    happened_.add(Fault::speaks_only_one);
    return plain(415, "remote write 2.0 is not supported\n");
  }
  if (version2 || !rng_.chance(faults_.refuses_type)) return std::nullopt;
  happened_.add(Fault::refuses_type);
  return plain(415, "unsupported media type\n");
}

bool ReceiverModel::has_long_label(const test::LabelMap& labels) const {
  if (rules_.label_bytes_max == 0) return false;
  const bool found = std::any_of(labels.begin(), labels.end(), [this](const auto& label) {
    return label.second.size() > rules_.label_bytes_max;
  });
  if (found) happened_.add(Fault::refuses_series);
  return found;
}

// A node that booted in 1970, as far as a model with the time of its world can tell.
bool ReceiverModel::outside_any_window(const Sample& sample) const {
  Rng fate(sample.bits << 20 ^ static_cast<std::uint64_t>(sample.ts_ms) << 1 ^ 1);
  return rules_.never_admits > 0 && fate.chance(rules_.never_admits);
}

// tsdb/head_append.go, memSeries.appendable; nullopt: taken (or known already, which is the same to a
// sender).
std::optional<Refused> ReceiverModel::judge(const Sample& sample, std::int64_t head_max,
                                            std::int64_t oldest_valid) const {
  if (outside_any_window(sample)) {
    happened_.add(Fault::never_admits);
    return rules_.out_of_order_window == Duration{} ? Refused::out_of_bounds : Refused::too_old;
  }
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

// A part of a request: some receivers behind the router have it and others have not, or the appending ended
// in its middle. Of no series a later sample without an earlier one.
void ReceiverModel::keep_some(std::vector<Sample>& taken) {
  if (rng_.chance(0.5)) {
    taken.resize(rng_.below(taken.size() + 1));
  } else {
    const std::uint64_t shard = rng_.below(2);
    std::erase_if(taken, [shard](const Sample& sample) { return sample.series % 2 == shard; });
  }
}

// What a proxy, or a receiver with a mistake in its book-keeping, makes of the counts.
void ReceiverModel::miscount(http::Response& response, const Tally& tally) {
  constexpr std::array kGarbled{"", "many", "-1", "18446744073709551616", "1.5"};
  const std::uint64_t truth = tally.written_floats + tally.written_histograms;
  const auto rewrite = [&response](const std::optional<std::string>& count) {
    http::Headers kept;
    for (const auto& [name, value] : response.headers.fields())
      if (!name.starts_with("X-Prometheus-Remote-Write-")) kept.add(name, value);
    response.headers = std::move(kept);
    if (!count) return;
    response.headers.add(kWrittenHeaders[0], *count);
    response.headers.add(kWrittenHeaders[1], "0");
  };
  const bool refuses = response.status != 204;
  switch (rng_.below(5)) {
    case 0: happened_.add(Fault::counts_missing); return rewrite(std::nullopt);
    case 1: happened_.add(Fault::counts_zero); return rewrite("0");
    case 2:
      happened_.add(Fault::counts_low);
      if (refuses) oversaid_ += truth - truth / 2;
      return rewrite(std::to_string(truth / 2));
    case 3:
      happened_.add(Fault::counts_high);
      if (refuses) unsaid_ += tally.refused[static_cast<std::size_t>(Refused::labels)];
      return rewrite(std::to_string(2 * truth + 7));
    default: happened_.add(Fault::counts_garbled); return rewrite(kGarbled[rng_.below(kGarbled.size())]);
  }
}

http::Response ReceiverModel::receive(const http::Request& request) {
  ++requests_;
  const bool version2 = request.headers.find("X-Prometheus-Remote-Write-Version") == "2.0.0";
  const Version version = version2 ? Version::v2 : Version::v1;
  const std::string raw = test::snappy_plain(request.body);
  const test::Contents contents = test::contents_of(raw, version);
  witness_.arrived(contents, version);
  std::vector<Sample> samples;
  for (const test::Point& point : contents.points) samples.push_back(sample_of(point, names_));
  for (const Sample& sample : samples) witness_.seen(sample);
  http::Response response = take(contents, samples, raw.size(), version2);
  if (rules_.answers_up_to > 0 && samples.size() > rules_.answers_up_to) {
    happened_.add(Fault::answers_nothing);
    response.status = 0;
  }
  return response;
}

http::Response ReceiverModel::mumbled(http::Response response) {
  if (!rules_.mumbles || response.status != 400) return response;
  happened_.add(Fault::mumbles);
  response.body = "request refused\n";
  return response;
}

http::Response ReceiverModel::take(const test::Contents& contents, const std::vector<Sample>& samples,
                                   std::size_t raw_bytes, bool version2) {
  if (auto refusal = misbehave()) return *refusal;
  if (std::any_of(samples.begin(), samples.end(), [this](const Sample& s) { return chokes_on(s); })) {
    happened_.add(Fault::chokes);
    return plain(500, "index out of range\n");
  }
  if (auto refusal = too_large(samples, raw_bytes)) return *refusal;
  if (auto refusal = other_type(version2)) return *refusal;

  // One appender per request: the window is fixed when it starts.
  const bool thanos = rules_.kind == ReceiverRules::Kind::thanos_0_42;
  const bool prometheus = rules_.kind == ReceiverRules::Kind::prometheus_3;
  const std::int64_t head_max = head_max_ms_;
  const std::int64_t oldest_valid = head_max == kNever ? kNever : head_max - kHourMs;
  Tally tally;
  std::vector<Sample> taken;
  std::uint64_t histograms_taken = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    const bool bad = (thanos && !contents.sorted) || has_long_label(contents.points[i].labels);
    const auto why = bad ? Refused::labels : judge(sample, head_max, oldest_valid);
    if (why) {
      ++tally.refused[static_cast<std::size_t>(*why)];
      witness_.refused(sample, *why);
    } else {
      taken.push_back(sample);
      if (!contents.points[i].histogram.empty()) ++histograms_taken;
    }
  }
  // Prometheus takes a message of 1.0 whole or not at all.
  const bool whole = prometheus && !version2;
  if (!whole && befalls(faults_.fails_partway, Fault::fails_partway)) {
    keep_some(taken);
    for (const Sample& sample : taken) store(sample);
    return plain(rng_.chance(0.5) ? 500 : 503, "lost a replica\n");
  }
  if (!whole || tally.total_refused() == 0) {
    for (const Sample& sample : taken) store(sample);
    tally.written_histograms = histograms_taken;
    tally.written_floats = taken.size() - histograms_taken;
    tally.written_exemplars = contents.exemplars.size();
    if (tally.total_refused() > 0 && !taken.empty() && !thanos) happened_.add(Fault::partial_400);
  }
  if (befalls(faults_.fails_after, Fault::fails_after_storing))
    return plain(rng_.chance(0.5) ? 500 : 503, "lost a replica\n");
  if (thanos) return answer_of_thanos(tally);
  if (!prometheus) return mumbled(answer_of_cortex(tally));
  http::Response response = answer_of_prometheus(tally, version2);
  if (version2 && rng_.chance(faults_.miscounts)) miscount(response, tally);
  return mumbled(std::move(response));
}

}  // namespace tideover::sim
