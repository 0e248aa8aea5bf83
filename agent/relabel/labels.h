// The labels of a stream, by name. One without a value is not there.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tideover::relabel {

using Labels = std::map<std::string, std::string, std::less<>>;

inline std::string_view get(const Labels& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

inline void set(Labels& labels, const std::string& name, std::string value) {
  if (value.empty())
    labels.erase(name);
  else
    labels[name] = std::move(value);
}

// [a-zA-Z_][a-zA-Z0-9_]*, as Prometheus had it before it took any UTF-8, and as Loki has it.
bool is_label_name(std::string_view name);

}  // namespace tideover::relabel
