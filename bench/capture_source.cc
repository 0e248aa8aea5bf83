#include <algorithm>
#include <unordered_map>

#include "bench/source.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/capture.h"

namespace tideover::bench {
namespace {

namespace wire = remote_write::wire;
using remote_write::Version;

constexpr std::uint32_t kSeriesTagV1 = wire::tag_of(1, wire::kBytes);  // of WriteRequest
constexpr std::uint32_t kSeriesTagV2 = wire::tag_of(5, wire::kBytes);
constexpr std::uint32_t kSymbolTagV2 = wire::tag_of(4, wire::kBytes);
constexpr std::uint32_t kLabelTag =
    wire::tag_of(1, wire::kBytes);  // of TimeSeries; 2.0: references to symbols
constexpr std::uint32_t kSampleTag = wire::tag_of(2, wire::kBytes);
constexpr std::uint32_t kMetadataTagV2 = wire::tag_of(5, wire::kBytes);
constexpr std::uint32_t kValueTag = wire::tag_of(1, wire::kFixed64);  // of Sample
constexpr std::uint32_t kTimeTag = wire::tag_of(2, wire::kVarint);

struct TimedSample {
  std::uint32_t series;
  std::uint64_t value_bits;
  std::int64_t time_ms;
};

class CaptureReader {
 public:
  explicit CaptureReader(Version version) : version_(version) {}

  bool read_request(std::string_view message) {
    const std::uint32_t series_tag = version_ == Version::v1 ? kSeriesTagV1 : kSeriesTagV2;
    symbols_.clear();
    wire::Reader reader(message);
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view part;
      if (!reader.tag(tag)) return false;
      if (tag == series_tag) {
        if (!reader.bytes(part) || !read_series(part)) return false;
      } else if (version_ == Version::v2 && tag == kSymbolTagV2) {
        if (!reader.bytes(part)) return false;
        symbols_.push_back(part);
      } else if (!reader.skip(tag)) {
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

    Source source{.name = "capture", .series = std::move(series_)};
    if (version_ == Version::v2) source.metadata = std::move(metadata_);
    source.ticks = static_cast<std::uint32_t>(times.size());
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
    Metadata metadata;
    std::vector<TimedSample> found;
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view part;
      if (!reader.tag(tag)) return false;
      const bool is_metadata = version_ == Version::v2 && tag == kMetadataTagV2;
      if (tag != kLabelTag && tag != kSampleTag && !is_metadata) {
        if (!reader.skip(tag)) return false;
        continue;
      }
      if (!reader.bytes(part)) return false;
      const bool ok = is_metadata               ? read_metadata(part, metadata)
                      : tag == kSampleTag       ? read_sample(part, found)
                      : version_ == Version::v1 ? read_label(part, labels)
                                                : read_references(part, labels);
      if (!ok) return false;
    }
    return found.empty() || keep(std::move(labels), std::move(metadata), found);
  }

  bool keep(Labels labels, Metadata metadata, const std::vector<TimedSample>& found) {
    std::string key;
    for (const auto& [name, value] : labels) key.append(name).append("\n").append(value).append("\n");
    const auto [entry, is_new] = numbers_.try_emplace(key, static_cast<std::uint32_t>(series_.size()));
    if (is_new) {
      series_.push_back(std::move(labels));
      metadata_.push_back(std::move(metadata));
      newest_ms_.push_back(0);
    }
    for (TimedSample sample : found) {
      // A stream whose series go back in time could not be repeated in order.
      if (sample.time_ms <= newest_ms_[entry->second]) return false;
      newest_ms_[entry->second] = sample.time_ms;
      sample.series = entry->second;
      samples_.push_back(sample);
    }
    return true;
  }

  bool symbol(std::uint64_t number, std::string& text) const {
    if (number >= symbols_.size()) return false;
    text = symbols_[number];
    return true;
  }

  bool read_references(std::string_view packed, Labels& labels) const {
    wire::Reader reader(packed);
    while (!reader.done()) {
      std::uint64_t name, value;
      if (!reader.varint(name) || !reader.varint(value)) return false;
      auto& label = labels.emplace_back();
      if (!symbol(name, label.first) || !symbol(value, label.second)) return false;
    }
    return true;
  }

  bool read_metadata(std::string_view message, Metadata& metadata) const {
    wire::Reader reader(message);
    while (!reader.done()) {
      std::uint32_t tag;
      std::uint64_t number;
      if (!reader.tag(tag) || !reader.varint(number)) return false;
      bool ok = true;
      switch (wire::field_of(tag)) {
        case 1: metadata.type = number; break;
        case 3: ok = symbol(number, metadata.help); break;
        case 4: ok = symbol(number, metadata.unit); break;
      }
      if (!ok) return false;
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

  const Version version_;
  std::vector<std::string_view> symbols_;                   // of the request at hand
  std::unordered_map<std::string, std::uint32_t> numbers_;  // by labels
  std::vector<Labels> series_;
  std::vector<Metadata> metadata_;
  std::vector<std::int64_t> newest_ms_;  // by series
  std::vector<TimedSample> samples_;
};

}  // namespace

Result<Source> capture_source(remote_write::Version version) {
  CaptureReader reader(version);
  for (const test::CapturedRequest& request : test::read_capture(version)) {
    if (!reader.read_request(request.body)) {
      return fail(Errc::bad_input, "the capture does not decode, or a series in it goes back in time");
    }
  }
  return reader.finish();
}

}  // namespace tideover::bench
