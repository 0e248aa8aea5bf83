// YAML text as a tree with places: the one door to the YAML library, and the guard in front of it.
//
// Bounded work whatever the text holds: size, depth, number of nodes and the expansion of aliases have
// limits. Duplicate keys, tags, several documents and keys that are not plain words are faults.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/fault.h"

namespace tideover::config {

inline constexpr std::size_t kFileBytesMax = 1 << 20;  // a configuration is a few kilobytes
inline constexpr std::size_t kNodesMax = 20'000;       // aliases expanded
inline constexpr std::size_t kTextBytesMax = 2 << 20;  // of all nodes, aliases expanded
inline constexpr std::size_t kDepthMax = 16;           // our deepest key lies 6 deep

struct Entry;

struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Place place;
  std::string text;            // of a scalar
  std::string written;         // of a scalar in which ${...} was replaced: what stands in the file
  bool faulted = false;        // of a scalar: a fault is reported already, its text means nothing
  std::vector<Node> items;     // of a list
  std::vector<Entry> entries;  // of a map, in the order of the file, without duplicates
};

struct Entry {
  std::string key;
  Place place;
  Node value;
};

struct Document {
  std::optional<Node> root;  // absent when the text could not be read to its end
  std::vector<Fault> faults;
};

Document parse_yaml(std::string_view text);

}  // namespace tideover::config
