#include "agent/config/expand.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace tideover::config {
namespace {

bool is_name(std::string_view name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void expand_scalar(Node& node, const Environment& environment, std::vector<Fault>& faults) {
  std::string_view rest = node.text;
  std::string out;
  for (auto at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
    const auto end = rest.find('}', at);
    const auto name = rest.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    if (end == std::string_view::npos || !is_name(name)) {
      faults.push_back({node.place, "\"${\" begins a variable: write ${NAME}"});
      node.faulted = true;
      return;
    }
    const auto value = environment(std::string(name));
    if (!value) {
      faults.push_back({node.place, fmt::format("the environment has no variable {}", name)});
      node.faulted = true;
    }
    out += rest.substr(0, at);
    out += value.value_or(std::string());
    rest.remove_prefix(end + 1);
  }
  if (rest.size() == node.text.size()) return;
  out += rest;
  node.written = std::exchange(node.text, std::move(out));
}

void each_scalar(Node& node, const auto& visit) {
  if (node.kind == Node::Kind::scalar) visit(node);
  for (auto& item : node.items) each_scalar(item, visit);
  for (auto& entry : node.entries) each_scalar(entry.value, visit);
}

}  // namespace

void expand(Node& node, const Environment& environment, std::vector<Fault>& faults) {
  each_scalar(node, [&](Node& scalar) { expand_scalar(scalar, environment, faults); });
}

void refuse_expansion(Node& node, std::vector<Fault>& faults) {
  each_scalar(node, [&](Node& scalar) {
    if (scalar.text.find("${") == std::string::npos) return;
    faults.push_back(
        {scalar.place, "\"${\" is only replaced under --expand-env: add the flag, or write the value"});
  });
}

}  // namespace tideover::config
