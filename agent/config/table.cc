#include "agent/config/table.h"

#include <algorithm>

namespace tideover::config {

bool few_enough(Reader& reader, const Node& node, const std::string& path, std::size_t entries,
                std::size_t max) {
  if (entries <= max) return true;
  reader.fault(node.place, fmt::format("{} has {} entries: at most {} are allowed", path, entries, max));
  return false;
}

std::optional<std::string_view> scalar_text(Reader& reader, const Node& node, const std::string& path,
                                            bool may_be_empty) {
  if (!expect(reader, node, Node::Kind::scalar, path) || node.faulted) return std::nullopt;
  if (node.text.empty() && !may_be_empty) {
    reader.fault(node.place, fmt::format("{} is empty: write a value, or delete the key", path));
    return std::nullopt;
  }
  if (node.text.size() > kValueBytesMax) {
    reader.fault(node.place, fmt::format("{} is longer than {} bytes", path, kValueBytesMax));
    return std::nullopt;
  }
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(node.text, control)) {
    reader.fault(node.place, fmt::format("{} holds a line break or another control byte", path));
    return std::nullopt;
  }
  return node.text;
}

std::string as_written(const Node& node, std::string sentence) {
  if (node.written.empty()) return sentence;
  const std::string shown = in_quotes(node.text);
  if (const auto at = sentence.find(shown); at != std::string::npos)
    sentence.replace(at, shown.size(), "the value of " + in_quotes(node.written));
  return sentence;
}

}  // namespace tideover::config
