#include "forwarders/thanos/refusal_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <system_error>

namespace tideover::thanos {
namespace {

// Prometheus storage/interface.go, Thanos pkg/store/labelpb/label.go.
constexpr std::string_view kOutOfOrder = "out of order sample";
constexpr std::string_view kDuplicate = "duplicate sample for timestamp";
constexpr std::string_view kOutOfBounds = "out of bounds";
constexpr std::string_view kTooOld = "too old sample";
constexpr std::string_view kExemplar = "exemplar";

// Lower case. Mimir pkg/ingester/errors.go and pkg/distributor/validate.go, Cortex pkg/util/validation, M3.
constexpr std::array<std::string_view, 9> kWindowWords{"too old",
                                                       "too new",
                                                       "too far in",
                                                       "in the future",
                                                       "beyond the out-of-order time window",
                                                       "outside the out-of-order time window",
                                                       "retention",
                                                       "older than",
                                                       "out of retention"};
// Exact ones only: after an attempt whose outcome is not known they stand for its arrival.
constexpr std::array<std::string_view, 2> kOrderWords{"err-mimir-sample-out-of-order",
                                                      "out-of-order samples are not allowed"};
constexpr std::array<std::string_view, 2> kDuplicateWords{"err-mimir-sample-duplicate-timestamp",
                                                          "err-mimir-new-value-for-timestamp"};
constexpr std::array<std::string_view, 4> kLimitWords{"limit", "exceeded", "quota", "too many"};
// Prometheus model/histogram/histogram.go, model/labels and storage/remote/write_handler.go.
constexpr std::array<std::string_view, 5> kMalformedWords{
    "invalid metric name", "invalid label", "histogram has", "duplicate label", "label set contains"};

std::uint64_t mentions(std::string_view text, std::string_view what) {
  std::uint64_t n = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// "add N samples: CAUSE" at the front of `text`.
void count_clause(std::string_view text, Refusals& found) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{}) return;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const auto take = [&text](std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  };
  if (take(" exemplars: ")) {
    found.exemplars += n;
  } else if (take(" series: ")) {
    found.labels += n;
  } else if (take(" samples: ")) {
    if (text.starts_with(kOutOfOrder))
      found.out_of_order += n;
    else if (text.starts_with(kDuplicate))
      found.duplicate += n;
    else if (text.starts_with(kOutOfBounds) || text.starts_with(kTooOld))
      found.window += n;
    else
      return;
  } else {
    return;
  }
  found.counted = true;
}

// One fault, in whatever words; what may pass later is looked for first.
void recognise(std::string_view text, Refusals& found) {
  const std::string small = lower(text);
  const auto has = [&small](std::span<const std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&small](std::string_view word) { return small.find(word) != small.npos; });
  };
  if (has(kWindowWords))
    found.window = 1;
  else if (small.find(kExemplar) != small.npos)
    found.exemplars = 1;
  else if (has(kMalformedWords))
    found.malformed = 1;
  else if (has(kDuplicateWords))
    found.duplicate = 1;
  else if (has(kOrderWords))
    found.out_of_order = 1;
  else if (has(kLimitWords))
    found.limit = 1;
}

}  // namespace

Refusals refusals_of(std::string_view text) {
  constexpr std::string_view kAdd = "add ";
  Refusals found;
  for (std::size_t at = text.find(kAdd); at != text.npos; at = text.find(kAdd, at + kAdd.size()))
    count_clause(text.substr(at + kAdd.size()), found);
  if (found.counted) return found;
  found.out_of_order = mentions(text, kOutOfOrder);
  found.duplicate = mentions(text, kDuplicate);
  found.window = mentions(text, kOutOfBounds) + mentions(text, kTooOld);
  if (found.samples() == 0) recognise(text, found);
  return found;
}

bool begins_with_window(std::string_view text) {
  return text.starts_with(kTooOld) || text.starts_with(kOutOfBounds);
}

}  // namespace tideover::thanos
