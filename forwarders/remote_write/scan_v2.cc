#include <vector>

#include "forwarders/remote_write/fields_v2.h"
#include "forwarders/remote_write/histogram.h"
#include "forwarders/remote_write/referred_bytes.h"
#include "forwarders/remote_write/sample.h"
#include "forwarders/remote_write/series_scan.h"
#include "forwarders/remote_write/utf8.h"

namespace tideover::remote_write {
namespace {

using namespace v2;
using wire::kBytes;
using wire::kVarint;
using wire::tag_of;

std::string too_many_symbols() { return "it has more than " + std::to_string(kEntriesMax) + " symbols"; }

enum class Outcome : std::uint8_t { done, malformed, too_large, late_symbols };

// Buffers live as long as the scan, so that a series costs no allocation.
class ScannerV2 {
 public:
  ScannerV2(SymbolTable& symbols, ScanTotal& total) : symbols_(symbols), total_(total) {}

  // `complete`: the table already holds all symbols of the message. Otherwise it is filled on the way, which
  // serves as long as symbols come before series, as every known sender writes them.
  Outcome request(std::string_view raw, bool complete) {
    bool in_series = false;
    wire::Reader reader(raw);
    while (!reader.done()) {
      const char* const begin = reader.at();
      std::uint32_t tag;
      std::string_view entry;
      bool valid = true;
      if (!reader.tag(tag)) return Outcome::malformed;
      switch (tag) {
        case tag_of(kRequestSymbols, kBytes):
          if (!reader.bytes(entry)) return Outcome::malformed;
          if (!complete && in_series) return Outcome::late_symbols;
          if (!complete && !add_symbol(entry)) return Outcome::too_large;
          valid = total_.keep_symbol(entry);
          break;
        case tag_of(kRequestTimeseries, kBytes):
          in_series = true;
          if (!reader.bytes(entry) || !series(entry, valid)) return Outcome::malformed;
          if (!total_.series_fits(labels_.view().size())) return Outcome::too_large;
          break;
        default: {
          const std::uint32_t field = wire::field_of(tag);
          if (field == kRequestSymbols || field == kRequestTimeseries || !reader.skip(tag))
            return Outcome::malformed;
        }
      }
      if (valid) total_.keep(begin, reader.at());
    }
    if (!symbols_.begins_empty()) return Outcome::malformed;
    return referred_bytes_fit(raw) ? Outcome::done : Outcome::too_large;
  }

 private:
  bool add_symbol(std::string_view symbol) {
    if (symbols_.size() == kEntriesMax)
      total_.exceed(too_many_symbols());
    else
      symbols_.add(symbol);
    return total_.excess().empty();
  }

  // Added up only where so many references to the longest string could be too much.
  bool referred_bytes_fit(std::string_view raw) {
    if (references_ * symbols_.longest() <= kReferredBytesMax) return true;
    if (referred_bytes(raw, symbols_, kReferredBytesMax) <= kReferredBytesMax) return true;
    total_.exceed("its references stand for more than " + std::to_string(kReferredBytesMax) + " bytes");
    return false;
  }

  bool series(std::string_view bytes, bool& valid) {
    SeriesTally tally;
    Metadata metadata;
    labels_.clear();
    refs_.clear();
    packed_refs_ = {};
    fault_.clear();
    wire::Reader reader(bytes);
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view part;
      if (!reader.tag(tag)) return false;
      switch (tag) {
        case tag_of(kSeriesLabelsRefs, kBytes):
          if (!refs_.empty() || !packed_refs_.empty()) {
            if (!unpack_refs() || !read_refs(reader, tag, refs_)) return false;
          } else if (!reader.bytes(packed_refs_)) {
            return false;
          }
          break;
        case tag_of(kSeriesLabelsRefs, kVarint):
          if (!unpack_refs() || !read_refs(reader, tag, refs_)) return false;
          break;
        case tag_of(kSeriesSamples, kBytes): {
          SampleFacts sample;
          if (!reader.bytes(part) || !read_sample<Version::v2>(part, sample)) return false;
          ++tally.floats;
          tally.at(sample.timestamp_ms);
          tally.stale_markers = tally.stale_markers || sample.stale;
          tally.start_timestamps = tally.start_timestamps || sample.start_ms != 0;
          break;
        }
        case tag_of(kSeriesHistograms, kBytes):
          if (!reader.bytes(part) || !histogram(part, tally)) return false;
          break;
        case tag_of(kSeriesExemplars, kBytes):
          if (!reader.bytes(part) || !exemplar(part)) return false;
          ++tally.exemplars;
          break;
        case tag_of(kSeriesMetadata, kBytes):
          if (!reader.bytes(part) || !read_metadata(part, metadata)) return false;
          break;
        default:
          if (wire::field_of(tag) <= kSeriesMetadata || !reader.skip(tag)) return false;
      }
    }
    symbols_.forget_empty(metadata);
    tally.metadata = metadata.says_anything() ? 1 : 0;
    references_ += packed_refs_.size() + refs_.size() + 2 * tally.metadata;  // at least as many
    // The usual series has its references in one packed field, and all of them point somewhere.
    bool in_range = refs_.empty() && symbols_.labels(packed_refs_, labels_);
    if (!in_range) {
      if (!unpack_refs()) return false;
      in_range = symbols_.labels(refs_, labels_);
    }
    judge(tally, metadata, in_range, valid);
    return true;
  }

  // From here on the references of this series are a list.
  bool unpack_refs() {
    const bool unpacked = append_refs(packed_refs_, refs_);
    packed_refs_ = {};
    return unpacked;
  }

  void judge(const SeriesTally& tally, const Metadata& metadata, bool in_range, bool& valid) {
    LabelCheck check;
    if (!in_range) {
      fault_ = "its label references are odd in number or outside the table of " +
               std::to_string(symbols_.size()) + " symbols";
    } else if (check = check_labels(labels_.view(), symbols_.utf8()); check.fault != LabelFault::none) {
      fault_ = sentence(check, labels_.view());
    } else if (!symbols_.has(metadata.help_ref) || !symbols_.has(metadata.unit_ref)) {
      fault_ = "its metadata refers to a symbol outside the table";
    } else if (!symbols_.utf8() &&
               !(is_utf8(symbols_[metadata.help_ref]) && is_utf8(symbols_[metadata.unit_ref]))) {
      fault_ = "its metadata is not valid UTF-8";
    } else if (tally.floats == 0 && tally.histograms == 0) {
      fault_ = "it carries neither a sample nor a histogram";
    } else if (tally.floats != 0 && tally.histograms != 0) {
      fault_ = "it carries samples and histograms at once";
    }
    valid = fault_.empty();
    if (valid)
      total_.add(tally, check.sorted);
    else
      total_.refuse_series(labels_.view(), fault_);
  }

  bool histogram(std::string_view bytes, SeriesTally& tally) {
    if (!read_histogram(bytes, Version::v2, histogram_)) return false;
    if (const auto fault = fault_of(histogram_)) fault_ = "a histogram is invalid: " + *fault;
    ++tally.histograms;
    tally.at(histogram_.timestamp_ms);
    tally.start_timestamps = tally.start_timestamps || histogram_.start_ms != 0;
    return true;
  }

  bool exemplar(std::string_view bytes) {
    exemplar_refs_.clear();
    exemplar_labels_.clear();
    if (!read_exemplar(bytes, exemplar_refs_)) return false;
    references_ += exemplar_refs_.size();
    if (exemplar_refs_.size() > 2 * kSeriesLabelsMax) {
      fault_ = "an exemplar has too many labels";
    } else if (!symbols_.labels(exemplar_refs_, exemplar_labels_)) {
      fault_ = "an exemplar's label references are odd in number or outside the table of symbols";
    } else if (!symbols_.utf8()) {
      for (const auto& [name, value] : exemplar_labels_.view())
        if (!is_utf8(name) || !is_utf8(value)) fault_ = "a label of an exemplar is not valid UTF-8";
    }
    return true;
  }

  SymbolTable& symbols_;
  ScanTotal& total_;
  std::string_view packed_refs_;
  std::size_t references_ = 0;  // of the whole request; where one was dropped, its series is refused
  Refs refs_;
  Refs exemplar_refs_;
  LabelList labels_;
  LabelList exemplar_labels_;
  Histogram histogram_;
  std::string fault_;  // of the series under the reader; empty when there is none
};

}  // namespace

bool scan_v2(std::string_view raw, ScanTotal& total) {
  SymbolTable symbols;
  Outcome outcome = ScannerV2(symbols, total).request(raw, false);
  if (outcome == Outcome::late_symbols) {
    // Protobuf allows any order of fields: once more, with the whole table first.
    total.restart();
    if (!symbols.read_all(raw)) {
      if (symbols.size() == kEntriesMax) total.exceed(too_many_symbols());
      return false;
    }
    outcome = ScannerV2(symbols, total).request(raw, true);
  }
  return outcome == Outcome::done;
}

}  // namespace tideover::remote_write
