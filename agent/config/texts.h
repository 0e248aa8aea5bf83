// A key whose value is a list of texts.
#pragma once

#include <string>
#include <vector>

#include "agent/config/table.h"

namespace tideover::config {

struct TextsSpec {
  std::size_t max = 0;
  Complaint (*check)(std::string_view text) = nullptr;
  std::string bounds_words = {};
  std::string help = {};
};

template <class Owner>
Key<Owner> texts(std::string name, std::vector<std::string> Owner::*member, TextsSpec spec) {
  Key<Owner> key;
  key.name = name;
  key.rows.push_back({name, "list of texts", false, "",
                      spec.bounds_words.empty() ? fmt::format("at most {}", spec.max)
                                                : fmt::format("at most {}; {}", spec.max, spec.bounds_words),
                      spec.help});
  key.read = [member, spec](Reader& reader, const Node* node, const std::string& path, Owner& owner) {
    if (node == nullptr || !expect(reader, *node, Node::Kind::list, path)) return;
    if (!few_enough(reader, *node, path, node->items.size(), spec.max)) return;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const Node& item = node->items[i];
      const std::string item_path = fmt::format("{}[{}]", path, i);
      const auto text = scalar_text(reader, item, item_path);
      if (!text) continue;
      const Complaint complaint = spec.check != nullptr ? spec.check(*text) : Complaint();
      if (complaint.empty())
        (owner.*member).emplace_back(*text);
      else
        reader.fault(item.place, as_written(item, fmt::format("{}: {}", item_path, complaint)));
    }
  };
  return key;
}

}  // namespace tideover::config
