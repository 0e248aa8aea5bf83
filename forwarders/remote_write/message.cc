#include "forwarders/remote_write/message.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "forwarders/remote_write/fields_v1.h"
#include "forwarders/remote_write/histogram.h"
#include "forwarders/remote_write/message_writers.h"
#include "forwarders/remote_write/sample.h"
#include "forwarders/remote_write/snappy.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

bool is_point(const Item& item) { return item.kind == ItemKind::sample || item.kind == ItemKind::histogram; }

SampleFacts times_of(const Item& item, std::string_view bytes, Version version) {
  SampleFacts times;
  bool read;
  if (item.kind == ItemKind::histogram) {
    Histogram histogram;
    read = read_histogram(bytes, version, histogram);
    times = {histogram.timestamp_ms, histogram.start_ms};
  } else if (version == Version::v1) {
    read = read_sample<Version::v1>(bytes, times);
  } else {
    read = read_sample<Version::v2>(bytes, times);
  }
  invariant(read, "a point that was decoded reads the same again");
  return times;
}

// Walks a range of items, series by series, and keeps the account of the points.
template <class Writer>
class Encoder {
 public:
  Encoder(const Message::Impl& message, const ExternalLabels& labels) : message_(message), labels_(labels) {}

  Result<Encoded> run(std::span<const Item> items, std::size_t raw_bytes_max) {
    Encoded encoded;
    Writer writer(encoded.counts);
    while (!items.empty()) {
      const auto same = [first = items[0].series](const Item& item) { return item.series == first; };
      const auto end = std::find_if_not(items.begin(), items.end(), same);
      const auto count = static_cast<std::size_t>(end - items.begin());
      add(items.first(count), writer, encoded);
      if (writer.bytes() > raw_bytes_max)
        return fail(Errc::too_large, fmt::format("a request of more than {} bytes", raw_bytes_max));
      items = items.subspan(count);
    }
    OutBuffer message;
    writer.write(message);
    compress(message.view(), encoded.body);
    return encoded;
  }

 private:
  void add(std::span<const Item> items, Writer& writer, Encoded& encoded) {
    const Series& series = message_.series[items[0].series];
    if (items[0].kind == ItemKind::metadata_entry) {
      if constexpr (requires { writer.add_metadata_entry({}); })
        writer.add_metadata_entry(message_.bytes(series.record, series.place));
      return;
    }
    points_.clear();
    for (const Item& item : items)
      if (is_point(item)) points_.push_back(point(item, series.record, encoded));
    take_apart(message_, series, labels_, parts_);
    writer.add_series(parts_, points_);
  }

  Point point(const Item& item, std::uint32_t record, Encoded& encoded) {
    const std::string_view bytes = message_.bytes(record, item.place);
    const SampleFacts times = times_of(item, bytes, message_.version);
    const bool first = encoded.units++ == 0;
    encoded.oldest_ms = first ? times.timestamp_ms : std::min(encoded.oldest_ms, times.timestamp_ms);
    encoded.newest_ms = first ? times.timestamp_ms : std::max(encoded.newest_ms, times.timestamp_ms);
    ++(item.kind == ItemKind::sample ? encoded.counts.floats : encoded.counts.histograms);
    if (std::is_same_v<Writer, WriterV1> && times.start_ms != 0) ++encoded.stripped;
    return {item.kind, bytes, times.start_ms != 0};
  }

  const Message::Impl& message_;
  const ExternalLabels& labels_;
  SeriesParts parts_;          // of the series under way
  std::vector<Point> points_;  // likewise
};

}  // namespace

Message::Message(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Message::Message(Message&&) noexcept = default;
Message& Message::operator=(Message&&) noexcept = default;
Message::~Message() = default;

std::size_t Message::items() const { return impl_->items.size(); }

std::uint64_t Message::units(std::size_t first, std::size_t last) const {
  const auto items = std::span<const Item>(impl_->items).subspan(first, last - first);
  return static_cast<std::uint64_t>(std::count_if(items.begin(), items.end(), is_point));
}

Encoded Message::encode(std::size_t first, std::size_t last, Version version,
                        const ExternalLabels& labels) const {
  return *encode_within(std::numeric_limits<std::size_t>::max(), first, last, version, labels);
}

Result<Encoded> Message::encode_within(std::size_t raw_bytes_max, std::size_t first, std::size_t last,
                                       Version version, const ExternalLabels& labels) const {
  invariant(first <= last && last <= items(), "a range of items lies inside its message");
  invariant(impl_->version == Version::v2 || version == Version::v1, "1.0 is never converted to 2.0");
  const auto items = std::span<const Item>(impl_->items).subspan(first, last - first);
  if (version == Version::v1) return Encoder<WriterV1>(*impl_, labels).run(items, raw_bytes_max);
  return Encoder<WriterV2>(*impl_, labels).run(items, raw_bytes_max);
}

std::string Message::describe(std::size_t item) const {
  const Item& at = impl_->items[item];
  const Series& series = impl_->series[at.series];
  if (at.kind != ItemKind::metadata_entry) {
    SeriesParts parts;
    take_apart(*impl_, series, {}, parts);
    return remote_write::describe(parts.labels.view());
  }
  v1::Metadata entry;
  invariant(v1::read_metadata(impl_->bytes(series.record, series.place), entry),
            "a decoded entry reads the same again");
  const Label family{"family", entry.family};
  return "metadata " + remote_write::describe({&family, 1});
}

}  // namespace tideover::remote_write
