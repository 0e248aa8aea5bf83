#include "tests/support/loki_validation.h"

#include <algorithm>
#include <fmt/format.h>

#include "tests/support/loki_ingester.h"

namespace tideover::test {

std::optional<LokiComplaint> loki_refuses_labels(const LokiPairs& labels, const LokiLimits& limits) {
  const std::string text = loki_text_of(labels);
  const auto is_service = [](const auto& label) { return label.first == "service_name"; };
  const bool service = std::any_of(labels.begin(), labels.end(), is_service);
  const std::size_t names = labels.size() - (service ? 1 : 0);
  if (names > limits.max_label_names_per_series)
    return LokiComplaint{"max_label_names_per_series",
                         fmt::format("entry for stream '{}' has {} label names; limit {}", text, names,
                                     limits.max_label_names_per_series)};
  std::string_view before;
  for (const auto& [name, value] : labels) {
    if (name.size() > limits.max_label_name_length)
      return LokiComplaint{"label_name_too_long",
                           fmt::format("stream '{}' has label name too long: '{}'", text, name)};
    if (value.size() > limits.max_label_value_length)
      return LokiComplaint{"label_value_too_long",
                           fmt::format("stream '{}' has label value too long: '{}'", text, value)};
    if (name == before)
      return LokiComplaint{"duplicate_label_names",
                           fmt::format("stream '{}' has duplicate label name: '{}'", text, name)};
    before = name;
  }
  return std::nullopt;
}

std::optional<LokiComplaint> loki_refuses_entry(const LokiEntry& entry, const std::string& labels,
                                                const LokiLimits& limits, std::int64_t now_ns) {
  const std::int64_t oldest = now_ns - limits.reject_old_samples_max_age;
  if (limits.reject_old_samples && entry.ns < oldest)
    return LokiComplaint{"greater_than_max_sample_age",
                         fmt::format("entry for stream '{}' has timestamp too old: {}, oldest acceptable "
                                     "timestamp is: {}",
                                     labels, loki_time(entry.ns), loki_time(oldest))};
  if (entry.ns > now_ns + limits.creation_grace_period)
    return LokiComplaint{"too_far_in_future", fmt::format("entry for stream '{}' has timestamp too new: {}",
                                                          labels, loki_time(entry.ns))};
  if (limits.max_line_size > 0 && entry.line.size() > limits.max_line_size)
    return LokiComplaint{
        "line_too_long",
        fmt::format("max entry size '{}' bytes exceeded for stream '{}' while adding an entry "
                    "with length '{}' bytes",
                    limits.max_line_size, labels, entry.line.size())};
  if (entry.metadata.empty()) return std::nullopt;
  if (!limits.allow_structured_metadata)
    return LokiComplaint{
        "disallowed_structured_metadata",
        fmt::format("stream '{}' includes structured metadata, but this feature is disallowed. "
                    "Please see `limits_config.allow_structured_metadata` or contact your Loki "
                    "administrator to enable it.",
                    labels)};
  const std::size_t bytes = loki_bytes(entry) - entry.line.size();
  if (limits.max_structured_metadata_size > 0 && bytes > limits.max_structured_metadata_size)
    return LokiComplaint{
        "structured_metadata_too_large",
        fmt::format("stream '{}' has structured metadata too large: '{}' bytes, limit: '{}' "
                    "bytes. Please see `limits_config.max_structured_metadata_size` or contact "
                    "your Loki administrator to increase it.",
                    labels, bytes, limits.max_structured_metadata_size)};
  const std::size_t most = limits.max_structured_metadata_entries_count;
  if (most > 0 && entry.metadata.size() > most)
    return LokiComplaint{
        "structured_metadata_too_many",
        fmt::format("stream '{}' has too many structured metadata labels: '{}', limit: '{}'. "
                    "Please see `limits_config.max_structured_metadata_entries_count` or contact "
                    "your Loki administrator to increase it.",
                    labels, entry.metadata.size(), most)};
  return std::nullopt;
}

std::string loki_grouped(const std::vector<std::string>& complaints) {
  std::vector<std::pair<std::string, int>> groups;
  for (const std::string& text : complaints) {
    const auto known =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == text; });
    if (known != groups.end())
      ++known->second;
    else
      groups.emplace_back(text, 1);
  }
  std::string out;
  for (const auto& [text, n] : groups) {
    if (!out.empty()) out += "; ";
    if (groups.size() > 1 || n > 1) out += fmt::format("{} errors like: ", n);
    out += text;
  }
  return out;
}

}  // namespace tideover::test
