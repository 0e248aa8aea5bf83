#include <vector>

#include "forwarders/remote_write/fields_v1.h"
#include "forwarders/remote_write/histogram.h"
#include "forwarders/remote_write/sample.h"
#include "forwarders/remote_write/series_scan.h"
#include "forwarders/remote_write/utf8.h"

namespace tideover::remote_write {
namespace {

using namespace v1;
using wire::kBytes;
using wire::tag_of;

// Buffers live as long as the scan, so that a series costs no allocation.
class ScannerV1 {
 public:
  explicit ScannerV1(ScanTotal& total) : total_(total) {}

  bool request(std::string_view raw) {
    wire::Reader reader(raw);
    while (!reader.done()) {
      const char* const begin = reader.at();
      std::uint32_t tag;
      std::string_view entry;
      bool valid = true;
      if (!reader.tag(tag)) return false;
      switch (tag) {
        case tag_of(kRequestTimeseries, kBytes):
          if (!reader.bytes(entry) || !series(entry, valid)) return false;
          if (!total_.series_fits(labels_.view().size())) return false;
          break;
        case tag_of(kRequestMetadata, kBytes):
          if (!reader.bytes(entry) || !metadata(entry, valid)) return false;
          break;
        default: {
          const std::uint32_t field = wire::field_of(tag);
          if (field == kRequestTimeseries || field == kRequestMetadata || !reader.skip(tag)) return false;
        }
      }
      if (valid) total_.keep(begin, reader.at());
    }
    return true;
  }

 private:
  bool series(std::string_view bytes, bool& valid) {
    SeriesTally tally;
    labels_.clear();
    fault_.clear();
    wire::Reader reader(bytes);
    read_plain_labels(reader, labels_);
    const char* labels_end = reader.at();
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view part;
      if (!reader.tag(tag)) return false;
      switch (tag) {
        case tag_of(kSeriesLabels, kBytes): {
          Label label;
          if (!reader.bytes(part) || !read_label(part, label)) return false;
          labels_.add(label);
          read_plain_labels(reader, labels_);
          labels_end = reader.at();
          break;
        }
        case tag_of(kSeriesSamples, kBytes): {
          SampleFacts sample;
          if (!reader.bytes(part) || !read_sample<Version::v1>(part, sample)) return false;
          ++tally.floats;
          tally.at(sample.timestamp_ms);
          tally.stale_markers = tally.stale_markers || sample.stale;
          break;
        }
        case tag_of(kSeriesExemplars, kBytes):
          if (!reader.bytes(part) || !exemplar(part)) return false;
          ++tally.exemplars;
          break;
        case tag_of(kSeriesHistograms, kBytes):
          if (!reader.bytes(part) || !histogram(part, tally)) return false;
          break;
        default:
          if (wire::field_of(tag) <= kSeriesHistograms || !reader.skip(tag)) return false;
      }
    }
    // Tags are ASCII and so are lengths below 128: when the run of labels is, every string in it is.
    const bool ascii = is_ascii({bytes.data(), static_cast<std::size_t>(labels_end - bytes.data())});
    judge(tally, ascii, valid);
    return true;
  }

  void judge(const SeriesTally& tally, bool utf8, bool& valid) {
    const LabelCheck check = check_labels(labels_.view(), utf8);
    if (check.fault != LabelFault::none) fault_ = sentence(check, labels_.view());
    valid = fault_.empty();
    if (valid)
      total_.add(tally, check.sorted);
    else
      total_.refuse_series(labels_.view(), fault_);
  }

  bool exemplar(std::string_view bytes) {
    exemplar_labels_.clear();
    if (!read_exemplar(bytes, exemplar_labels_)) return false;
    if (exemplar_labels_.full()) fault_ = "an exemplar has too many labels";
    for (const auto& [name, value] : exemplar_labels_.view())
      if (!is_utf8(name) || !is_utf8(value)) fault_ = "a label of an exemplar is not valid UTF-8";
    return true;
  }

  bool histogram(std::string_view bytes, SeriesTally& tally) {
    if (!read_histogram(bytes, Version::v1, histogram_)) return false;
    if (const auto fault = fault_of(histogram_)) fault_ = "a histogram is invalid: " + *fault;
    ++tally.histograms;
    tally.at(histogram_.timestamp_ms);
    return true;
  }

  bool metadata(std::string_view bytes, bool& valid) {
    Metadata entry;
    if (!read_metadata(bytes, entry)) return false;
    valid = is_utf8(entry.family) && is_utf8(entry.help) && is_utf8(entry.unit);
    if (valid)
      total_.add_metadata_entry();
    else
      total_.refuse_metadata_entry("it is not valid UTF-8");
    return true;
  }

  ScanTotal& total_;
  LabelList labels_;
  LabelList exemplar_labels_;
  Histogram histogram_;
  std::string fault_;  // of the series under the reader; empty when there is none
};

}  // namespace

bool scan_v1(std::string_view raw, ScanTotal& total) { return ScannerV1(total).request(raw); }

}  // namespace tideover::remote_write
