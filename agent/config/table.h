// How a table of keys is written and read. A key is one row: name, type, default, bounds, help and the member
// it fills; the parser, "did you mean" and docs/CONFIG.md all come from it (schema.cc holds the rows).
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/reader.h"
#include "agent/config/values.h"
#include "wal/base/invariant.h"

namespace tideover::config {

// What the documentation says about a key; `path` is relative to the table that holds the row.
struct Row {
  std::string path;
  std::string type;
  bool required = false;
  std::string fallback;
  std::string bounds;
  std::string help;
};

template <class Owner>
struct Key {
  std::string name;
  std::vector<Row> rows;  // its own, then those of the keys inside; empty for a key that always is a fault
  // `node` is null when the file does not have the key: then its default is applied.
  std::function<void(Reader&, const Node* node, const std::string& path, Owner&)> read;
};

template <class Owner>
using Table = std::vector<Key<Owner>>;

// How values of a type are called, read and shown.
template <class T>
struct Words;
template <>
struct Words<std::string> {
  static constexpr const char* kType = "text";
  static Result<std::string> parse(std::string_view text) { return std::string(text); }
};
template <>
struct Words<Milliseconds> {
  static constexpr const char* kType = "duration";
  static Result<Milliseconds> parse(std::string_view text) { return parse_duration(text); }
};
template <>
struct Words<Size> {
  static constexpr const char* kType = "size";
  static Result<Size> parse(std::string_view text) { return parse_size(text); }
};
template <>
struct Words<Count> {
  static constexpr const char* kType = "number";
  static Result<Count> parse(std::string_view text) { return parse_count(text); }
};
template <>
struct Words<Percentage> {
  static constexpr const char* kType = "percentage";
  static Result<Percentage> parse(std::string_view text) { return parse_percentage(text); }
};
template <>
struct Words<bool> {
  static constexpr const char* kType = "true or false";
  static Result<bool> parse(std::string_view text) { return parse_boolean(text); }
};
template <>
struct Words<Address> {
  static constexpr const char* kType = "address";
  static Result<Address> parse(std::string_view text) { return parse_address(text); }
};
template <>
struct Words<Url> {
  static constexpr const char* kType = "URL";
  static Result<Url> parse(std::string_view text) { return parse_url(text); }
};

template <class T>
struct ValueOf {
  using type = T;
};
template <class T>
struct ValueOf<std::optional<T>> {
  using type = T;
};

template <class T>
struct Spec {
  bool required = false;
  std::string_view fallback = {};        // the default, as it would be written in the file
  std::string_view fallback_words = {};  // for a default that is found when the agent starts
  std::optional<T> min = {};
  std::optional<T> max = {};
  Complaint (*check)(std::string_view) = nullptr;
  std::string_view bounds_words = {};  // what `check` demands
  std::string_view help = {};
  bool may_be_empty = false;
};

inline constexpr std::size_t kValueBytesMax = 1024;

// False, and a fault: more than `max` entries.
bool few_enough(Reader& reader, const Node& node, const std::string& path, std::size_t entries,
                std::size_t max);

// The text of a scalar, or nothing and a fault.
std::optional<std::string_view> scalar_text(Reader& reader, const Node& node, const std::string& path,
                                            bool may_be_empty = false);

// `sentence`, with the value as it stands in the file rather than what the environment put there.
std::string as_written(const Node& node, std::string sentence);

template <class T>
std::string bounds_of(const Spec<T>& spec) {
  if constexpr (requires(T value) { value <=> value, print(value); }) {
    if (spec.min && spec.max) return fmt::format("{} to {}", print(*spec.min), print(*spec.max));
  }
  return std::string(spec.bounds_words);
}

template <class T>
Complaint out_of_bounds(const Spec<T>& spec, const T& value) {
  if constexpr (requires { value <=> value, print(value); }) {
    if (spec.min && value < *spec.min)
      return fmt::format("{} is below the least allowed, {}", print(value), print(*spec.min));
    if (spec.max && value > *spec.max)
      return fmt::format("{} is above the most allowed, {}", print(value), print(*spec.max));
  }
  return {};
}

// A key with one value: its type follows from the member.
template <class Owner, class Member>
Key<Owner> value(std::string name, Member Owner::*member, Spec<typename ValueOf<Member>::type> spec) {
  using T = typename ValueOf<Member>::type;
  Key<Owner> key;
  key.name = name;
  key.rows.push_back({name, Words<T>::kType, spec.required,
                      std::string(spec.fallback.empty() ? spec.fallback_words : spec.fallback),
                      bounds_of(spec), std::string(spec.help)});
  key.read = [member, spec](Reader& reader, const Node* node, const std::string& path, Owner& owner) {
    if (node == nullptr) {
      if (spec.fallback.empty()) return;
      auto parsed = Words<T>::parse(spec.fallback);
      invariant(parsed.has_value(), "every default of the table is a legal value");
      owner.*member = std::move(*parsed);
      return;
    }
    const auto text = scalar_text(reader, *node, path, spec.may_be_empty);
    if (!text) return;
    auto parsed = Words<T>::parse(*text);
    Complaint complaint = !parsed      ? parsed.error().detail
                          : spec.check ? spec.check(*text)
                                       : out_of_bounds(spec, *parsed);
    if (complaint.empty())
      owner.*member = std::move(*parsed);
    else
      reader.fault(node->place, as_written(*node, fmt::format("{}: {}", path, complaint)));
  };
  return key;
}

// A key whose value is one word of a closed set.
template <class Owner, class Enum>
Key<Owner> choice(std::string name, Enum Owner::*member, std::vector<std::pair<std::string, Enum>> words,
                  Spec<std::string> spec) {
  std::vector<std::string> names;
  for (const auto& [word, unused] : words) names.push_back(word);
  Key<Owner> key;
  key.name = name;
  key.rows.push_back({name, "word", spec.required, std::string(spec.fallback),
                      fmt::format("{}", fmt::join(names, ", ")), std::string(spec.help)});
  key.read = [member, words, names, spec](Reader& reader, const Node* node, const std::string& path,
                                          Owner& owner) {
    const auto text = node == nullptr ? spec.fallback : scalar_text(reader, *node, path);
    if (!text) return;
    for (const auto& [word, chosen] : words) {
      if (word != *text) continue;
      owner.*member = chosen;
      return;
    }
    invariant(node != nullptr, "every default of the table is a legal value");
    reader.fault(node->place, as_written(*node, fmt::format("{}: {} is not known here: write {}", path,
                                                            in_quotes(*text), fmt::join(names, ", "))));
  };
  return key;
}

inline const Entry* find_entry(const Node* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  const auto found = std::ranges::find(node->entries, key, &Entry::key);
  return found == node->entries.end() ? nullptr : &*found;
}

template <class Owner>
void read_map(Reader& reader, const Node* node, const std::string& path, const Table<Owner>& table,
              Owner& owner) {
  if (node != nullptr && node->kind != Node::Kind::null && !expect(reader, *node, Node::Kind::map, path))
    return;
  std::vector<std::string_view> known;
  for (const Key<Owner>& key : table)
    if (!key.rows.empty()) known.push_back(key.name);
  std::vector<std::string_view> meant;  // mistyped: not reported a second time as missing
  for (const Entry& entry : node != nullptr ? std::span(node->entries) : std::span<const Entry>{})
    if (std::ranges::find(table, entry.key, &Key<Owner>::name) == table.end())
      meant.push_back(fault_unknown(reader, entry, path, known));
  for (const Key<Owner>& key : table) {
    const Entry* entry = find_entry(node, key.name);
    if (entry != nullptr) reader.note(child(path, key.name), entry->place);
    key.read(reader, entry != nullptr ? &entry->value : nullptr, child(path, key.name), owner);
    const bool required = !key.rows.empty() && key.rows[0].required;
    if (node != nullptr && entry == nullptr && required && std::ranges::find(meant, key.name) == meant.end())
      reader.fault(node->place, fmt::format("the key {} is missing {}: {}", in_quotes(key.name), where(path),
                                            key.rows[0].help));
  }
}

inline std::vector<Row> with_inner(Row own, const std::string& prefix, const std::vector<Row>& inner) {
  std::vector<Row> rows{std::move(own)};
  for (Row row : inner) {
    row.path = prefix + "." + row.path;
    rows.push_back(std::move(row));
  }
  return rows;
}

template <class Owner>
std::vector<Row> rows_of(const Table<Owner>& table) {
  std::vector<Row> rows;
  for (const auto& key : table) rows.insert(rows.end(), key.rows.begin(), key.rows.end());
  return rows;
}

// Keys inside a key. Without the section its defaults hold.
template <class Owner, class Section>
Key<Owner> section(std::string name, Section Owner::*member, Table<Section> table, std::string help) {
  Key<Owner> key;
  key.name = name;
  key.rows = with_inner({name, "section", false, "", "", std::move(help)}, name, rows_of(table));
  key.read = [member, table](Reader& reader, const Node* node, const std::string& path, Owner& owner) {
    read_map(reader, node, path, table, owner.*member);
  };
  return key;
}

// A section that is off when it is absent.
template <class Owner, class Section>
Key<Owner> section(std::string name, std::optional<Section> Owner::*member, Table<Section> table,
                   std::string help) {
  Key<Owner> key;
  key.name = name;
  key.rows = with_inner({name, "section", false, "off", "", std::move(help)}, name, rows_of(table));
  key.read = [member, table](Reader& reader, const Node* node, const std::string& path, Owner& owner) {
    if (node != nullptr) read_map(reader, node, path, table, (owner.*member).emplace());
  };
  return key;
}

struct ListSpec {
  std::size_t max = 0;
  std::string help = {};
  bool required = true;
};

template <class Owner, class Item>
Key<Owner> list_of(std::string name, std::vector<Item> Owner::*member, Table<Item> table, ListSpec spec) {
  Key<Owner> key;
  key.name = name;
  key.rows =
      with_inner({name, "list", spec.required, "", fmt::format("1 to {} entries", spec.max), spec.help},
                 name + "[]", rows_of(table));
  key.read = [member, table, spec](Reader& reader, const Node* node, const std::string& path, Owner& owner) {
    if (node == nullptr || !expect(reader, *node, Node::Kind::list, path)) return;
    if (node->items.empty())
      reader.fault(node->place, fmt::format("{} is empty: it takes at least one entry", path));
    if (!few_enough(reader, *node, path, node->items.size(), spec.max)) return;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const std::string item_path = fmt::format("{}[{}]", path, i);
      reader.note(item_path, node->items[i].place);
      read_map(reader, &node->items[i], item_path, table, (owner.*member).emplace_back());
    }
  };
  return key;
}

struct PairsSpec {
  std::size_t max = 0;
  Complaint (*check)(std::string_view name, std::string_view value) = nullptr;
  std::string bounds_words = {};
  std::string help = {};
};

// Free names with one value each: headers, labels.
template <class Owner>
Key<Owner> pairs(std::string name, std::map<std::string, std::string> Owner::*member, PairsSpec spec) {
  Key<Owner> key;
  key.name = name;
  key.rows.push_back(
      {name, "name: text", false, "", fmt::format("at most {}; {}", spec.max, spec.bounds_words), spec.help});
  key.read = [member, spec](Reader& reader, const Node* node, const std::string& path, Owner& owner) {
    if (node == nullptr || !expect(reader, *node, Node::Kind::map, path)) return;
    if (!few_enough(reader, *node, path, node->entries.size(), spec.max)) return;
    for (const Entry& entry : node->entries) {
      const auto text = scalar_text(reader, entry.value, child(path, entry.key));
      if (!text) continue;
      if (auto complaint = spec.check(entry.key, *text); !complaint.empty())
        reader.fault(entry.place, fmt::format("{}: {}", path, complaint));
      else
        (owner.*member).emplace(entry.key, *text);
    }
  };
  return key;
}

// A key of a part that this version does not have.
template <class Owner>
Key<Owner> not_yet(std::string name, std::string sentence) {
  Key<Owner> key;
  key.name = name;
  key.read = [sentence](Reader& reader, const Node* node, const std::string& path, Owner&) {
    if (node != nullptr) reader.fault(reader.place(path), sentence);
  };
  return key;
}

}  // namespace tideover::config
