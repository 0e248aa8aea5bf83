// What Loki would refuse, found before it is stored: the checks of its distributor, in its order, in its
// words.
//
// The rules are those of Loki 3.x (pkg/validation), the defaults its own (limits_config). Of a stream that
// breaks several rules the first is named. `service_name` is not counted: Loki adds one itself.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/loki/labels.h"
#include "forwarders/loki/push_scan.h"

namespace tideover::ingest::loki {

using tideover::loki::Label;

struct Limits {
  std::uint64_t line_bytes_max = 256 << 10;  // max_line_size
  std::chrono::seconds age_max =
      std::chrono::hours(7 * 24);  // reject_old_samples_max_age; 0: any age is taken
  std::chrono::seconds ahead_max = std::chrono::minutes(10);  // creation_grace_period
  std::uint32_t label_names_max = 15;                         // max_label_names_per_series
  std::uint32_t label_name_bytes_max = 1024;                  // max_label_name_length
  std::uint32_t label_value_bytes_max = 2048;                 // max_label_value_length
  bool metadata_allowed = true;                               // allow_structured_metadata
  std::uint64_t metadata_bytes_max = 64 << 10;                // max_structured_metadata_size
  std::uint32_t metadata_pairs_max = 128;                     // max_structured_metadata_entries_count
};

// A closed set, for figures.
enum class Why : std::uint8_t {
  missing_labels,
  too_many_labels,
  label_name_too_long,
  label_value_too_long,
  duplicate_label,
  reserved_label,
  too_old,
  too_new,
  line_too_long,
  metadata_not_allowed,
  metadata_too_large,
  metadata_too_many,
};
inline constexpr std::size_t kWhys = 12;
std::string_view to_string(Why why);  // as Loki calls its discards (pkg/validation/validate.go)

struct Fault {
  Why why;
  std::string sentence;
};

// Of the stream, whose entries are all refused with it. `labels` as parse_labels() gives them, `name` as
// label_string() writes them.
std::optional<Fault> stream_fault(const std::vector<Label>& labels, std::string_view name,
                                  const Limits& limits);

// Why an entry is refused, without words: made for one in a group (faults.h).
std::optional<Why> entry_fault(const tideover::loki::PushEntry& entry, std::int64_t now_ms,
                               const Limits& limits);
std::string entry_sentence(Why why, const tideover::loki::PushEntry& entry, std::string_view stream,
                           std::int64_t now_ms, const Limits& limits);

}  // namespace tideover::ingest::loki
