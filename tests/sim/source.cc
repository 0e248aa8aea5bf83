#include "tests/sim/source.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "wal/record.h"

namespace tideover::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kBackoffMin = milliseconds(30);
constexpr Duration kBackoffMax = std::chrono::seconds(5);

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Source::Source(SimClock& clock, Rng rng, Oracle& oracle, SourceOptions options, Wire wire)
    : clock_(clock), rng_(rng), oracle_(oracle), options_(std::move(options)), wire_(std::move(wire)) {}

void Source::start() {
  scraping_ = true;
  const Duration phase = std::chrono::duration_cast<Duration>(options_.interval * rng_.unit());
  clock_.call_at(clock_.now() + phase, [this] { scrape(); });
}

void Source::restart() {
  ++life_;
  scrapes_.clear();
  current_.reset();
  backoff_ = {};
}

void Source::scrape() {
  if (!scraping_) return;
  scrapes_.push_back({to_unix_ms(clock_.true_now()) - options_.behind / milliseconds(1), ++scraped_});
  clock_.call_at(clock_.now() + options_.interval, [this] { scrape(); });
  send_next();
}

void Source::send_next() {
  if (current_ || scrapes_.empty()) return;
  current_ = build();
  oracle_.offered(current_->contents);
  transmit();
}

void Source::transmit() {
  http::Request request{.method = "POST", .target = "/api/v1/write", .headers = {}, .body = current_->body};
  request.headers.add("Content-Encoding", "snappy");
  const bool v2 = options_.version == remote_write::Version::v2;
  request.headers.add("Content-Type", v2 ? "application/x-protobuf;proto=io.prometheus.write.v2.Request"
                                         : "application/x-protobuf");
  request.headers.add("Content-Length", std::to_string(request.body.size()));
  request.headers.add("X-Prometheus-Remote-Write-Version", v2 ? "2.0.0" : "0.1.0");
  auto answer = [this, life = life_](const std::optional<http::Response>& response) {
    if (life == life_) on_answer(response);
  };
  wire_(std::move(request), std::move(answer));
}

void Source::on_answer(const std::optional<http::Response>& response) {
  const int status = response ? response->status : 0;
  if (status == 0 || status >= 500) {
    backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
    const auto asked = response ? number(response->headers.find("Retry-After")) : std::nullopt;
    if (asked && *asked > 5)
      oracle_.violation(fmt::format("Retry-After of {} s: the source may lose its log", *asked));
    return retry_after(asked ? std::chrono::seconds(*asked) : backoff_);
  }
  const bool expected = current_->faulty ? status == 400 : status == 204;
  if (expected)
    oracle_.acknowledged(current_->samples);
  else
    oracle_.violation(fmt::format("{} answered {} to a request that {}: {}", options_.name, status,
                                  current_->faulty ? "has a faulty series" : "is valid", response->body));
  check_written(*response);
  backoff_ = {};
  current_.reset();
  send_next();
}

void Source::retry_after(Duration delay) {
  clock_.call_at(clock_.now() + delay, [this, life = life_] {
    if (life == life_) transmit();
  });
}

void Source::add_series(test::WriteRequest& message, const std::string& metric,
                        const std::string& index) const {
  test::Labels labels{{"__name__", metric}, {"index", index}, {"job", options_.name}};
  if (options_.unsorted) std::reverse(labels.begin(), labels.end());
  message.series(std::move(labels));
}

// What belongs to the series added last. 2.0 hangs metadata on the series, 1.0 on the request.
void Source::add_riches(test::WriteRequest& message, const std::string& metric, const Scrape& scrape) {
  if (!options_.rich) return;
  if (rng_.chance(0.3))
    message.exemplar({{"trace_id", std::to_string(scrape.number)}}, 0.5, scrape.ts_ms - 1);
  if (rng_.chance(0.3))
    message.metadata({metric, 1, "what " + metric + " of " + options_.name + " is", "bytes"});
}

std::int64_t Source::start_of(const Scrape& scrape) const {
  const bool says = options_.rich && options_.version == remote_write::Version::v2;
  return says ? scrape.ts_ms - 1000 * static_cast<std::int64_t>(scrape.number) : 0;
}

double Source::value_of(std::uint64_t number, std::uint32_t series) {
  // Bits that a careless hand alters: quiet and signalling payloads, the sign of zero.
  if (rng_.chance(0.02)) return test::from_bits(test::kStaleMarkerBits);
  if (rng_.chance(0.01)) return test::from_bits(0xfff8000000000000 + number);
  if (rng_.chance(0.01)) return -0.0;
  return static_cast<double>(number) + 0.125 * series;
}

Source::Request Source::build() {
  const std::size_t count = std::min(scrapes_.size(), options_.scrapes_per_request_max);
  test::WriteRequest message;
  for (std::uint32_t i = 0; i < options_.series; ++i) {
    add_series(message, "metric", std::to_string(i));
    for (std::size_t k = 0; k < count; ++k)
      message.sample(scrapes_[k].ts_ms, value_of(scrapes_[k].number, i), start_of(scrapes_[k]));
    add_riches(message, "metric", scrapes_[count - 1]);
  }
  if (options_.bulk > 0) {
    // Text that does not compress, the same at every scrape.
    Rng letters(options_.bulk);
    std::string label;
    while (label.size() < options_.bulk) label += static_cast<char>('!' + letters.below(90));
    message.series({{"__name__", "bulky"}, {"job", options_.name}, {"text", label}});
    for (std::size_t k = 0; k < count; ++k)
      message.sample(scrapes_[k].ts_ms, static_cast<double>(scrapes_[k].number));
  }
  if (options_.histograms) {
    add_series(message, "latency", "h");
    for (std::size_t k = 0; k < count; ++k) {
      test::HistogramSpec histogram = test::valid_histogram(scrapes_[k].ts_ms);
      histogram.sum = static_cast<double>(scrapes_[k].number);
      histogram.start_ms = start_of(scrapes_[k]);
      message.histogram(histogram);
    }
  }
  if (options_.unruly) {
    // A wrong value now, the right one at the same time with the next request.
    add_series(message, "unruly", "u");
    for (std::size_t k = 0; k < count; ++k) {
      const std::int64_t step = rng_.chance(0.1) ? options_.interval / milliseconds(1) : 0;
      message.sample(scrapes_[k].ts_ms - step, 1000.0 + static_cast<double>(scrapes_[k].number));
    }
  }
  Request request;
  request.contents = test::contents_of(message.encode(options_.version), options_.version);
  for (const test::Point& point : request.contents.points) {
    request.samples.push_back(oracle_.sample_of(point));
    if (point.labels.at("__name__") == "unruly") oracle_.expect_disorder(request.samples.back().series);
  }
  if (options_.faulty && rng_.chance(0.2)) {
    request.faulty = true;
    message.series({{"index", "nameless"}, {"job", options_.name}});
    message.sample(scrapes_[0].ts_ms, 1.0);
  }
  request.body = test::snappy_block(message.encode(options_.version));
  scrapes_.erase(scrapes_.begin(), scrapes_.begin() + static_cast<std::ptrdiff_t>(count));
  return request;
}

void Source::check_written(const http::Response& response) const {
  const std::string_view samples = response.headers.find("X-Prometheus-Remote-Write-Samples-Written");
  const std::string_view histograms = response.headers.find("X-Prometheus-Remote-Write-Histograms-Written");
  const std::string_view exemplars = response.headers.find("X-Prometheus-Remote-Write-Exemplars-Written");
  if (options_.version == remote_write::Version::v1) {
    if (!samples.empty() || !histograms.empty())
      oracle_.violation("Written headers for a request of version 1.0");
    return;
  }
  std::uint64_t floats_sent = 0;
  for (const test::Point& point : current_->contents.points) floats_sent += point.histogram.empty() ? 1 : 0;
  const std::uint64_t histograms_sent = current_->contents.points.size() - floats_sent;
  const std::uint64_t exemplars_sent = current_->contents.exemplars.size();
  if (number(samples) != floats_sent || number(histograms) != histograms_sent ||
      number(exemplars) != exemplars_sent)
    oracle_.violation(fmt::format("Written headers say {}/{}/{}, sent and stored were {}/{}/{}", samples,
                                  histograms, exemplars, floats_sent, histograms_sent, exemplars_sent));
}

}  // namespace tideover::sim
