#include "agent/ingest/loki/limits.h"

#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <limits>

#include "wal/base/utf8.h"

namespace tideover::ingest::loki {
namespace {

using tideover::loki::PushEntry;

constexpr std::size_t kTextMax = 300;  // of a label in a sentence

std::string_view shown(std::string_view text) { return utf8_front(text, kTextMax); }

std::string time_text(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace

std::string_view to_string(Why why) {
  switch (why) {
    case Why::missing_labels: return "missing_labels";
    case Why::too_many_labels: return "max_label_names_per_series";
    case Why::label_name_too_long: return "label_name_too_long";
    case Why::label_value_too_long: return "label_value_too_long";
    case Why::duplicate_label: return "duplicate_label_names";
    case Why::reserved_label: return "reserved_label";
    case Why::too_old: return "greater_than_max_sample_age";
    case Why::too_new: return "too_far_in_future";
    case Why::line_too_long: return "line_too_long";
    case Why::metadata_not_allowed: return "disallowed_structured_metadata";
    case Why::metadata_too_large: return "structured_metadata_too_large";
    case Why::metadata_too_many: return "structured_metadata_too_many";
  }
  return "unknown";
}

std::optional<Fault> stream_fault(const std::vector<Label>& labels, std::string_view name,
                                  const Limits& limits) {
  if (labels.empty())
    return Fault{Why::missing_labels, "error at least one label pair is required per stream"};
  std::size_t counted = labels.size();
  for (const Label& label : labels)
    if (label.name == "service_name") --counted;
  if (counted > limits.label_names_max)
    return Fault{Why::too_many_labels, fmt::format("entry for stream '{}' has {} label names; limit {}",
                                                   shown(name), counted, limits.label_names_max)};
  const Label* before = nullptr;
  for (const Label& label : labels) {
    if (label.name.size() > limits.label_name_bytes_max)
      return Fault{Why::label_name_too_long,
                   fmt::format("stream '{}' has label name too long: '{}'", shown(name), shown(label.name))};
    if (label.value.size() > limits.label_value_bytes_max)
      return Fault{Why::label_value_too_long, fmt::format("stream '{}' has label value too long: '{}'",
                                                          shown(name), shown(label.value))};
    if (before != nullptr && before->name == label.name)
      return Fault{Why::duplicate_label,
                   fmt::format("stream '{}' has duplicate label name: '{}'", shown(name), shown(label.name))};
    if (label.name == "__backfill__" || label.name == "__backfill_shard__")
      return Fault{Why::reserved_label,
                   fmt::format("stream '{}' has a label name that is reserved for Loki: '{}'", shown(name),
                               label.name)};
    before = &label;
  }
  return std::nullopt;
}

std::optional<Why> entry_fault(const PushEntry& entry, std::int64_t now_ms, const Limits& limits) {
  // The ends stand for what 64 bits cannot say (push_scan.h). Without a limit of age the lower one would
  // pass.
  constexpr std::int64_t kOldest = std::numeric_limits<std::int64_t>::min();
  using Ms = std::chrono::milliseconds;
  const std::int64_t now_ns = now_ms * tideover::loki::kNanosPerMilli;
  const std::int64_t age_ns = Ms(limits.age_max).count() * tideover::loki::kNanosPerMilli;
  const std::int64_t ahead_ns = Ms(limits.ahead_max).count() * tideover::loki::kNanosPerMilli;
  if (entry.ns == kOldest || (age_ns > 0 && entry.ns < now_ns - age_ns)) return Why::too_old;
  if (entry.ns > now_ns + ahead_ns) return Why::too_new;
  if (entry.line.size() > limits.line_bytes_max) return Why::line_too_long;
  if (entry.metadata.empty()) return std::nullopt;
  if (!limits.metadata_allowed) return Why::metadata_not_allowed;
  const tideover::loki::MetadataSize size = tideover::loki::size_of_metadata(entry.metadata);
  if (size.bytes > limits.metadata_bytes_max) return Why::metadata_too_large;
  if (size.pairs > limits.metadata_pairs_max) return Why::metadata_too_many;
  return std::nullopt;
}

std::string entry_sentence(Why why, const PushEntry& entry, std::string_view stream, std::int64_t now_ms,
                           const Limits& limits) {
  const std::string_view name = shown(stream);
  const std::string at = time_text(tideover::loki::floor_div(entry.ns, tideover::loki::kNanosPerSecond));
  const tideover::loki::MetadataSize size = tideover::loki::size_of_metadata(entry.metadata);
  switch (why) {
    case Why::too_old:
      return fmt::format(
          "entry for stream '{}' has timestamp too old: {}, oldest acceptable timestamp is: {}", name, at,
          time_text(now_ms / 1000 - limits.age_max.count()));
    case Why::too_new: return fmt::format("entry for stream '{}' has timestamp too new: {}", name, at);
    case Why::line_too_long:
      return fmt::format(
          "max entry size '{}' bytes exceeded for stream '{}' while adding an entry with length '{}' bytes",
          limits.line_bytes_max, name, entry.line.size());
    case Why::metadata_not_allowed:
      return fmt::format("stream '{}' includes structured metadata, but this feature is disallowed", name);
    case Why::metadata_too_large:
      return fmt::format("stream '{}' has structured metadata too large: '{}' bytes, limit: '{}' bytes", name,
                         size.bytes, limits.metadata_bytes_max);
    case Why::metadata_too_many:
      return fmt::format("stream '{}' has too many structured metadata labels: '{}', limit: '{}'", name,
                         size.pairs, limits.metadata_pairs_max);
    default: return {};  // of streams
  }
}

}  // namespace tideover::ingest::loki
