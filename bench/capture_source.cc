#include <algorithm>
#include <unordered_map>

#include "bench/source.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/capture.h"

namespace tideover::bench {
namespace {

namespace wire = remote_write::wire;

constexpr std::uint32_t kSeriesTag = wire::tag_of(1, wire::kBytes);  // of WriteRequest
constexpr std::uint32_t kLabelTag = wire::tag_of(1, wire::kBytes);   // of TimeSeries
constexpr std::uint32_t kSampleTag = wire::tag_of(2, wire::kBytes);
constexpr std::uint32_t kValueTag = wire::tag_of(1, wire::kFixed64);  // of Sample
constexpr std::uint32_t kTimeTag = wire::tag_of(2, wire::kVarint);

struct TimedSample {
  std::uint32_t series;
  std::uint64_t value_bits;
  std::int64_t time_ms;
};

class CaptureReader {
 public:
  bool read_request(std::string_view message) {
    wire::Reader reader(message);
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view series;
      if (!reader.tag(tag)) return false;
      if (tag != kSeriesTag) {
        if (!reader.skip(tag)) return false;
      } else if (!reader.bytes(series) || !read_series(series)) {
        return false;
      }
    }
    return true;
  }

  Source finish() {
    std::vector<std::int64_t> times;
    for (const TimedSample& sample : samples_) times.push_back(sample.time_ms);
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());

    Source source{"capture", std::move(series_), {}, static_cast<std::uint32_t>(times.size())};
    for (const TimedSample& sample : samples_) {
      const auto at = std::lower_bound(times.begin(), times.end(), sample.time_ms);
      source.samples.push_back(
          {sample.series, static_cast<std::uint32_t>(at - times.begin()), sample.value_bits});
    }
    return source;
  }

 private:
  bool read_series(std::string_view message) {
    wire::Reader reader(message);
    Labels labels;
    std::string key;
    std::vector<TimedSample> found;
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view part;
      if (!reader.tag(tag)) return false;
      if (tag != kLabelTag && tag != kSampleTag) {
        if (!reader.skip(tag)) return false;
        continue;
      }
      if (!reader.bytes(part)) return false;
      if (tag == kLabelTag) {
        key.append(part).push_back('\n');
        if (!read_label(part, labels)) return false;
      } else if (!read_sample(part, found)) {
        return false;
      }
    }
    const auto [entry, is_new] = numbers_.try_emplace(key, static_cast<std::uint32_t>(series_.size()));
    if (is_new) {
      series_.push_back(std::move(labels));
      newest_ms_.push_back(0);
    }
    for (TimedSample& sample : found) {
      // A stream whose series go back in time could not be repeated in order.
      if (sample.time_ms <= newest_ms_[entry->second]) return false;
      newest_ms_[entry->second] = sample.time_ms;
      sample.series = entry->second;
      samples_.push_back(sample);
    }
    return true;
  }

  static bool read_label(std::string_view message, Labels& labels) {
    wire::Reader reader(message);
    auto& [name, value] = labels.emplace_back();
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view text;
      if (!reader.tag(tag) || !reader.bytes(text)) return false;
      (wire::field_of(tag) == 1 ? name : value) = text;
    }
    return true;
  }

  static bool read_sample(std::string_view message, std::vector<TimedSample>& found) {
    wire::Reader reader(message);
    TimedSample& sample = found.emplace_back();
    while (!reader.done()) {
      std::uint32_t tag;
      if (!reader.tag(tag)) return false;
      std::uint64_t number = 0;
      const bool ok = tag == kValueTag  ? reader.fixed64(sample.value_bits)
                      : tag == kTimeTag ? reader.varint(number)
                                        : reader.skip(tag);
      if (!ok) return false;
      if (tag == kTimeTag) sample.time_ms = static_cast<std::int64_t>(number);
    }
    return true;
  }

  std::unordered_map<std::string, std::uint32_t> numbers_;  // by encoded labels
  std::vector<Labels> series_;
  std::vector<std::int64_t> newest_ms_;  // by series
  std::vector<TimedSample> samples_;
};

}  // namespace

Result<Source> capture_source() {
  CaptureReader reader;
  for (const test::CapturedRequest& request : test::read_capture(remote_write::Version::v1)) {
    if (!reader.read_request(request.body)) {
      return fail(Errc::bad_input, "the capture does not decode, or a series in it goes back in time");
    }
  }
  return reader.finish();
}

}  // namespace tideover::bench
