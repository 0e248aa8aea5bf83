#include "forwarders/remote_write/labels.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <vector>

#include "forwarders/remote_write/utf8.h"

namespace tideover::remote_write {
namespace {

constexpr std::string_view kMetricName = "__name__";
constexpr std::size_t kDescribedBytesMax = 512;

template <class Word>
Word load_big_endian(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) return word;
  if constexpr (sizeof word == 8) return __builtin_bswap64(word);
  return static_cast<Word>(__builtin_bswap32(static_cast<std::uint32_t>(word)));
}

// The first eight bytes as a number that orders as the bytes do, padded with zeros: where two keys differ, so
// do the names, the same way round.
inline std::uint64_t order_key(std::string_view name) {
  const std::size_t size = name.size();
  if (size >= 8) return load_big_endian<std::uint64_t>(name.data());
  if (size >= 4) {  // two words that overlap
    const std::uint64_t head = load_big_endian<std::uint32_t>(name.data());
    const std::uint64_t tail = load_big_endian<std::uint32_t>(name.data() + size - 4);
    return head << 32 | (tail << (8 * (8 - size)) & 0xffffffff);
  }
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < size; ++i)
    key |= std::uint64_t{static_cast<unsigned char>(name[i])} << (56 - 8 * i);
  return key;
}

// Only for series whose labels came unsorted.
bool has_repeated_name(std::span<const Label> labels, std::size_t& at) {
  std::vector<std::size_t> order(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [labels](std::size_t a, std::size_t b) { return labels[a].name < labels[b].name; });
  const auto same = [labels](std::size_t a, std::size_t b) { return labels[a].name == labels[b].name; };
  const auto found = std::adjacent_find(order.begin(), order.end(), same);
  if (found == order.end()) return false;
  at = *found;
  return true;
}

void append_escaped(std::string& out, std::string_view text) {
  const bool readable = is_utf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !readable)) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
    if (out.size() > kDescribedBytesMax && (byte & 0xc0) != 0xc0) return;
  }
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_escaped(out, text);
  return out + '"';
}

}  // namespace

LabelCheck check_labels(std::span<const Label> labels, bool utf8) {
  LabelCheck check;
  const auto fault = [&check](LabelFault what, std::size_t at) {
    check.fault = what;
    check.at = at;
    return check;
  };
  if (labels.empty()) return fault(LabelFault::no_labels, 0);
  if (labels.size() > kSeriesLabelsMax) return fault(LabelFault::too_many, 0);

  const std::uint64_t metric_name_key = order_key(kMetricName);
  bool named = false;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& [name, value] = labels[i];
    if (name.empty()) return fault(LabelFault::empty_name, i);
    if (value.empty()) return fault(LabelFault::empty_value, i);
    const std::uint64_t key = order_key(name);
    if (i > 0 && key <= before) [[unlikely]] {
      if (key < before || name < labels[i - 1].name)
        check.sorted = false;
      else if (name == labels[i - 1].name)
        return fault(LabelFault::repeated, i);
    }
    before = key;
    named = named || (key == metric_name_key && name.size() == kMetricName.size());
  }
  if (!utf8)
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (!is_utf8(labels[i].name) || !is_utf8(labels[i].value)) return fault(LabelFault::not_utf8, i);
  std::size_t at = 0;
  if (!check.sorted && has_repeated_name(labels, at)) return fault(LabelFault::repeated, at);
  if (!named) return fault(LabelFault::no_metric_name, 0);
  return check;
}

std::string sentence(const LabelCheck& check, std::span<const Label> labels) {
  const auto name = [&] { return quoted(labels[check.at].name); };
  switch (check.fault) {
    case LabelFault::none: break;
    case LabelFault::no_labels: return "it has no labels";
    case LabelFault::too_many: return fmt::format("it has more than {} labels", kSeriesLabelsMax);
    case LabelFault::empty_name: return fmt::format("the name of label {} is empty", check.at + 1);
    case LabelFault::empty_value: return fmt::format("the value of label {} is empty", name());
    case LabelFault::repeated: return fmt::format("label {} appears twice", name());
    case LabelFault::not_utf8: return fmt::format("label {} is not valid UTF-8", name());
    case LabelFault::no_metric_name: return "it has no label \"__name__\"";
  }
  return "its labels are valid";
}

std::string describe(std::span<const Label> labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > kDescribedBytesMax) {
      out += ", ...";
      break;
    }
    if (out.size() > 1) out += ", ";
    append_escaped(out, name);
    out += "=\"";
    append_escaped(out, value);
    out += '"';
  }
  return out + '}';
}

}  // namespace tideover::remote_write
