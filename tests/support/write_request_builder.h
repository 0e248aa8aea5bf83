// Write requests for tests, in words: built and read back by generated protobuf code, never by the codec
// under test.
//
//   const std::string raw = WriteRequest()
//                               .series({{"__name__", "up"}, {"job", "node"}})
//                               .sample(1000, 1.0)
//                               .sample(2000, 0.0)
//                               .encode(Version::v1);
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forwarders/remote_write/remote_write.h"
#include "wal/record.h"

namespace tideover::test {

using remote_write::Version;
using Labels = std::vector<std::pair<std::string, std::string>>;  // in the order in which they are written

inline constexpr std::uint64_t kStaleMarkerBits = 0x7ff0000000000002;
double from_bits(std::uint64_t bits);
std::uint64_t bits_of(double value);

// A native histogram; counts as integers (deltas) or, when `is_float`, as floats (absolute).
struct HistogramSpec {
  std::int64_t timestamp_ms = 0;
  std::int64_t start_ms = 0;  // 2.0 only
  bool is_float = false;
  double count = 0;
  double sum = 0;
  std::int32_t schema = 0;
  double zero_threshold = 0;
  double zero_count = 0;
  std::vector<std::pair<std::int32_t, std::uint32_t>> positive_spans = {};  // offset, length
  std::vector<double> positive_buckets = {};
  std::vector<std::pair<std::int32_t, std::uint32_t>> negative_spans = {};
  std::vector<double> negative_buckets = {};
  std::vector<double> custom_values = {};
  std::int32_t reset_hint = 0;
};

// Small and consistent: 12 observations in three positive buckets and the zero bucket.
HistogramSpec valid_histogram(std::int64_t timestamp_ms);

struct MetadataSpec {
  std::string family;  // 1.0 only; 2.0 hangs metadata on the series
  std::int32_t type = 1;
  std::string help;
  std::string unit;

  auto operator<=>(const MetadataSpec&) const = default;
};

class WriteRequest {
 public:
  WriteRequest& series(Labels labels);  // what follows belongs to this series
  WriteRequest& sample(std::int64_t timestamp_ms, double value, std::int64_t start_ms = 0);
  WriteRequest& stale(std::int64_t timestamp_ms);
  WriteRequest& histogram(HistogramSpec histogram);
  WriteRequest& exemplar(Labels labels, double value, std::int64_t timestamp_ms);
  WriteRequest& metadata(MetadataSpec metadata);  // 1.0: an entry of the request; 2.0: of the current series

  std::string encode(Version version) const;  // the message before compression

 private:
  struct Sample {
    std::int64_t timestamp_ms;
    double value;
    std::int64_t start_ms;
  };
  struct Exemplar {
    Labels labels;
    double value;
    std::int64_t timestamp_ms;
  };
  struct Series {
    Labels labels;
    std::vector<Sample> samples;
    std::vector<HistogramSpec> histograms;
    std::vector<Exemplar> exemplars;
    std::vector<MetadataSpec> metadata;
  };

  std::string encode_v1() const;
  std::string encode_v2() const;

  std::vector<Series> series_;
  std::vector<MetadataSpec> entries_;
};

// The snappy block of a message, by libsnappy itself.
std::string snappy_block(std::string_view raw);
// A body of about so many bytes, on the wire and on the disk: one sample of a series whose name is noise.
std::string noise(std::size_t bytes);
std::string snappy_plain(std::string_view block);

// Records as intake would make them of a valid message; attributes are counted by generated code.
wal::Attributes attributes_of(std::string_view raw, Version version);
wal::NewRecord new_record(std::string_view raw, Version version);
// Sequence numbers from 1, totals accumulated.
std::vector<wal::StoredRecord> stored_records(const std::vector<std::string>& raws, Version version);

// What a message says, without its form: order of labels, of fields and of symbols do not show.
using LabelMap = std::map<std::string, std::string>;
struct Point {
  LabelMap labels;
  std::int64_t timestamp_ms = 0;
  std::uint64_t value_bits = 0;  // of a histogram: the bits of its sum
  std::int64_t start_ms = 0;
  std::string histogram;  // empty for a float; else its fields, start timestamp apart

  auto operator<=>(const Point&) const = default;
};
struct ExemplarPoint {
  LabelMap series;
  LabelMap labels;
  std::int64_t timestamp_ms = 0;
  std::uint64_t value_bits = 0;

  auto operator<=>(const ExemplarPoint&) const = default;
};
struct Contents {
  std::vector<Point> points;  // in the order of the message
  std::vector<ExemplarPoint> exemplars;
  std::vector<MetadataSpec> metadata;                        // entries of 1.0
  std::vector<std::pair<LabelMap, MetadataSpec>> of_series;  // inline metadata of 2.0, unless it says nothing
  bool sorted = true;                                        // every series' labels

  bool operator==(const Contents&) const = default;
};
// Throws when `raw` is no message of `version`.
Contents contents_of(std::string_view raw, Version version);
std::vector<Point> samples_of(std::string_view raw, Version version);
// What several messages say one after the other: what a merge of them must say.
Contents joined(const std::vector<std::string>& raws, Version version);

}  // namespace tideover::test
