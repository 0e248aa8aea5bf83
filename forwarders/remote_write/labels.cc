#include "forwarders/remote_write/labels.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "forwarders/remote_write/utf8.h"

namespace tideover::remote_write {
namespace {

constexpr std::string_view kMetricName = "__name__";
constexpr std::size_t kDescribedBytesMax = 512;

std::uint64_t big_endian(const char* at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}

// The first eight bytes as a number that orders as the bytes do, padded with zeros: where two keys differ, so
// do the names, the same way round. Compilers make single loads of the fixed sizes.
std::uint64_t order_key(std::string_view name) {
  const std::size_t size = name.size();
  if (size >= 8) return big_endian(name.data(), 8);
  if (size >= 4)
    return big_endian(name.data(), 4) << 32 |
           static_cast<std::uint32_t>(big_endian(name.data() + size - 4, 4) << (8 * (8 - size)));
  return size == 0 ? 0 : big_endian(name.data(), size) << (8 * (8 - size));
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

  static const std::uint64_t kMetricNameKey = order_key(kMetricName);
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
    named = named || (key == kMetricNameKey && name.size() == kMetricName.size());
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
