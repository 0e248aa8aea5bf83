#include "agent/config/reader.h"

#include "agent/config/suggest.h"

namespace tideover::config {

std::string_view describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return "one value";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "keys with values";
  }
  return {};
}

bool expect(Reader& reader, const Node& node, Node::Kind kind, const std::string& path) {
  if (node.kind == kind) return true;
  if (node.kind == Node::Kind::null)
    reader.fault(node.place,
                 fmt::format("{} has no value: write {}, or delete the key", path, describe(kind)));
  else
    reader.fault(node.place, fmt::format("{} is {} here: it takes {}", path.empty() ? "the file" : path,
                                         describe(node.kind), describe(kind)));
  return false;
}

std::string_view fault_unknown(Reader& reader, const Entry& entry, const std::string& path,
                               const std::vector<std::string_view>& known) {
  const std::string what = fmt::format("unknown key {} {}", in_quotes(entry.key), where(path));
  const auto meant = nearest(entry.key, known);
  if (entry.key == "<<")
    reader.fault(entry.place, "merge keys (<<) are not supported: write the keys out");
  else if (!meant.empty())
    reader.fault(entry.place, fmt::format("{}: did you mean {}?", what, in_quotes(meant)));
  else
    reader.fault(entry.place, fmt::format("{}: it takes {}", what, fmt::join(known, ", ")));
  return meant;
}

}  // namespace tideover::config
