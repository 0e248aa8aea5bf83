// What one scan knows while it runs: the tally of the series under the reader, and the sum of the valid ones.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "forwarders/remote_write/fields_v2.h"
#include "forwarders/remote_write/labels.h"
#include "forwarders/remote_write/limits.h"
#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/utf8.h"

namespace tideover::remote_write {

// Of one series. Added to the scan only once the series has proved valid.
struct SeriesTally {
  std::uint32_t floats = 0;
  std::uint32_t histograms = 0;
  std::uint32_t exemplars = 0;
  std::uint32_t metadata = 0;
  std::int64_t oldest_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t newest_ms = std::numeric_limits<std::int64_t>::min();
  bool start_timestamps = false;
  bool stale_markers = false;

  void at(std::int64_t timestamp_ms) {
    oldest_ms = std::min(oldest_ms, timestamp_ms);
    newest_ms = std::max(newest_ms, timestamp_ms);
  }
};

class ScanTotal {
 public:
  // `kept`, when given, receives the valid entries of the request byte for byte.
  explicit ScanTotal(std::string* kept) : kept_(kept) {}

  void add(const SeriesTally& series, bool sorted) {
    ++index_;
    Counts& counts = scan_.counts;
    ++counts.series;
    counts.floats += series.floats;
    counts.histograms += series.histograms;
    counts.exemplars += series.exemplars;
    counts.metadata += series.metadata;
    oldest_ms_ = std::min(oldest_ms_, series.oldest_ms);
    newest_ms_ = std::max(newest_ms_, series.newest_ms);
    scan_.sorted = scan_.sorted && sorted;
    scan_.start_timestamps = scan_.start_timestamps || series.start_timestamps;
    scan_.stale_markers = scan_.stale_markers || series.stale_markers;
  }
  void add_metadata_entry() { ++scan_.counts.metadata; }

  void refuse_series(std::span<const Label> labels, std::string_view why) {
    if (names_next_fault())
      name_fault("series " + std::to_string(index_) + " " + describe(labels) + ": " + std::string(why));
    ++scan_.faulty_series;
    ++index_;
  }
  void refuse_metadata_entry(std::string_view why) {
    if (names_next_fault()) name_fault("a metadata entry: " + std::string(why));
    ++scan_.faulty_series;
  }

  // After every series, valid or not. False when the request is beyond its limits, and the scan ends.
  bool series_fits(std::size_t labels) {
    labels_ += labels;
    if (index_ > kEntriesMax || labels_ > kRequestLabelsMax) [[unlikely]]
      exceed("it has more than " + (index_ > kEntriesMax ? std::to_string(kEntriesMax) + " series"
                                                         : std::to_string(kRequestLabelsMax) + " labels"));
    return excess_.empty();
  }

  // At the end of the request: what takes no work to read, but memory to send.
  bool counts_fit() {
    const Counts& counts = scan_.counts;
    if (std::size_t{counts.floats} + counts.histograms > kEntriesMax)
      exceed("it has more than " + std::to_string(kEntriesMax) + " samples");
    if (counts.exemplars > kEntriesMax)
      exceed("it has more than " + std::to_string(kEntriesMax) + " exemplars");
    if (counts.metadata > kEntriesMax)
      exceed("it has more than " + std::to_string(kEntriesMax) + " metadata entries");
    return excess_.empty();
  }

  void exceed(std::string what) { excess_ = std::move(what); }
  const std::string& excess() const { return excess_; }  // why the scan ended; empty when it did not

  // Entries that are kept, from their tag to their end.
  void keep(const char* begin, const char* end) {
    if (kept_ != nullptr) kept_->append(begin, end);
  }

  // True when the symbol may be kept as it is. One that is not UTF-8 serves faulty series alone and would
  // make a strict receiver refuse the rest with it: an empty one keeps its place.
  bool keep_symbol(std::string_view symbol) {
    if (kept_ == nullptr || is_utf8(symbol)) return true;
    wire::put_bytes(*kept_, v2::kRequestSymbols, {});
    return false;
  }

  void restart() {
    if (kept_ != nullptr) kept_->clear();
    *this = ScanTotal(kept_);
  }

  Scan take() {
    if (oldest_ms_ <= newest_ms_) {
      scan_.oldest_ms = oldest_ms_;
      scan_.newest_ms = newest_ms_;
    }
    return std::move(scan_);
  }

 private:
  static constexpr std::size_t kFaultsMax = 8;  // the rest is only counted, and words are not made for it

  bool names_next_fault() const { return scan_.faults.size() < kFaultsMax; }
  void name_fault(std::string sentence) { scan_.faults.push_back({index_, std::move(sentence)}); }

  Scan scan_;
  std::int64_t oldest_ms_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t newest_ms_ = std::numeric_limits<std::int64_t>::min();
  std::uint32_t index_ = 0;  // of the next series
  std::size_t labels_ = 0;   // of all series so far
  std::string excess_;
  std::string* kept_;
};

// False when `raw` is no message of the version, or beyond the limits (total.excess()).
[[nodiscard]] bool scan_v1(std::string_view raw, ScanTotal& total);
[[nodiscard]] bool scan_v2(std::string_view raw, ScanTotal& total);

}  // namespace tideover::remote_write
