// Collects the faults of one reading of the tree, and where each key stands, for the rules across keys.
#pragma once

#include <fmt/format.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/fault.h"
#include "agent/config/yaml_tree.h"
#include "wal/base/result.h"

namespace tideover::config {

class Reader {
 public:
  void fault(const Place& place, std::string sentence) { faults_.push_back({place, std::move(sentence)}); }

  // Paths read like "metrics.destinations[1].url".
  void note(const std::string& path, const Place& place) { places_.insert_or_assign(path, place); }
  bool has(const std::string& path) const { return places_.contains(path); }
  Place place(const std::string& path) const {
    const auto found = places_.find(path);
    return found == places_.end() ? Place{} : found->second;
  }

  std::vector<Fault>& faults() { return faults_; }

 private:
  std::vector<Fault> faults_;
  std::map<std::string, Place> places_;
};

inline std::string child(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// "in metrics.destinations[0]", "at the top level"
inline std::string where(const std::string& path) { return path.empty() ? "at the top level" : "in " + path; }

std::string_view describe(Node::Kind kind);

// False, and a fault, when `node` is of another kind.
bool expect(Reader& reader, const Node& node, Node::Kind kind, const std::string& path);

// An entry whose key the table does not have. Returns the known key that was meant, if one is near.
std::string_view fault_unknown(Reader& reader, const Entry& entry, const std::string& path,
                               const std::vector<std::string_view>& known);

}  // namespace tideover::config
