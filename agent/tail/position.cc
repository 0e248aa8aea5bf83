#include "agent/tail/position.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "wal/base/little_endian.h"

namespace tideover::tail {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSumBytes = 8;  // at the end: XXH3 of all before it

void append_mark(std::string& to, const Mark& mark) {
  append_le(to, mark.bytes);
  append_le(to, mark.hash);
}

Mark next_mark(LittleEndianReader& from) {
  Mark mark;
  mark.bytes = from.next<std::uint32_t>();
  mark.hash = from.next<std::uint64_t>();
  return mark;
}

}  // namespace

Mark mark_of(std::string_view bytes) {
  return {static_cast<std::uint32_t>(bytes.size()), XXH3_64bits(bytes.data(), bytes.size())};
}

bool begins_with(std::string_view text, const Mark& mark) {
  return text.size() >= mark.bytes && mark_of(text.substr(0, mark.bytes)).hash == mark.hash;
}

std::string encode(const Position& position) {
  std::string value;
  append_le(value, kVersion);
  append_le(value, position.id.device);
  append_le(value, position.id.inode);
  append_le(value, position.restart);
  append_le(value, position.order_ns);
  append_mark(value, position.head);
  append_mark(value, position.before);
  append_le(value, position.offset);
  append_le(value, position.size);
  append_le(value, static_cast<std::uint16_t>(position.name.size()));
  value += position.name;
  append_le(value, static_cast<std::uint32_t>(position.lines.size()));
  value += position.lines;
  append_le(value, static_cast<std::uint64_t>(XXH3_64bits(value.data(), value.size())));
  return value;
}

Result<Position> decode_position(std::string_view value) {
  const auto refuse = [](std::string_view why) {
    return fail(Errc::bad_input, fmt::format("the position of a log {}: its files are read again", why));
  };
  if (value.size() < 1 + kSumBytes) return refuse("is too short");
  if (static_cast<std::uint8_t>(value.front()) != kVersion) return refuse("has a form that is not known");
  const std::string_view body = value.substr(0, value.size() - kSumBytes);
  if (load_le<std::uint64_t>(value.data() + body.size()) != XXH3_64bits(body.data(), body.size()))
    return refuse("is damaged");
  LittleEndianReader from(body.substr(1));
  Position position;
  position.id.device = from.next<std::uint64_t>();
  position.id.inode = from.next<std::uint64_t>();
  position.restart = from.next<std::uint32_t>();
  position.order_ns = from.next<std::int64_t>();
  position.head = next_mark(from);
  position.before = next_mark(from);
  position.offset = from.next<std::uint64_t>();
  position.size = from.next<std::uint64_t>();
  position.name = from.next_bytes(from.next<std::uint16_t>());
  position.lines = from.next_bytes(from.next<std::uint32_t>());
  // A right sum over wrong bytes was never ours, but what follows reads so many bytes and opens this name.
  const bool fits = position.head.bytes <= kHeadBytes && position.before.bytes <= kBeforeBytes &&
                    position.before.bytes <= position.offset && position.name.size() <= kNameBytesMax &&
                    position.name.find('/') == std::string::npos;
  if (!from.ok() || !from.at_end() || !fits) return refuse("is damaged");
  return position;
}

}  // namespace tideover::tail
