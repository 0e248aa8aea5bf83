#include "agent/tail/joiner.h"

#include <algorithm>
#include <utility>

#include "wal/base/little_endian.h"

namespace tideover::tail {
namespace {

constexpr std::uint8_t kStateVersion = 1;

}  // namespace

std::optional<Line> Joiner::add(const CriLine& part) {
  Open& open = of(part.output);
  open.begun = true;
  Line& line = open.line;
  line.time_ns = part.time_ns;
  line.output = part.output;
  const std::size_t room = line_bytes_max_ - std::min(line_bytes_max_, line.text.size());
  const std::string_view taken = part.content.substr(0, room);
  line.text.append(taken);
  line.cut_bytes += part.content.size() - taken.size();
  if (part.partial) return std::nullopt;
  return std::exchange(open, {}).line;
}

std::optional<Line> Joiner::take_unfinished() {
  for (Open& open : open_)
    if (open.begun) return std::exchange(open, {}).line;
  return std::nullopt;
}

bool Joiner::unfinished() const {
  return std::ranges::any_of(open_, [](const Open& open) { return open.begun; });
}

std::string Joiner::encode() const {
  std::string state;
  if (!unfinished()) return state;
  append_le(state, kStateVersion);
  for (const Open& open : open_) {
    append_le(state, static_cast<std::uint8_t>(open.begun));
    if (!open.begun) continue;
    append_le(state, static_cast<std::uint64_t>(open.line.time_ns));
    append_le(state, open.line.cut_bytes);
    append_le(state, static_cast<std::uint32_t>(open.line.text.size()));
    state += open.line.text;
  }
  return state;
}

bool Joiner::decode(std::string_view state) {
  open_ = {};
  if (state.empty()) return true;
  LittleEndianReader from(state);
  const bool ours = from.next<std::uint8_t>() == kStateVersion;
  for (const Output output : {Output::standard, Output::error}) {
    Open& open = of(output);
    open.begun = from.next<std::uint8_t>() != 0;
    if (!open.begun) continue;
    open.line.output = output;
    open.line.time_ns = static_cast<std::int64_t>(from.next<std::uint64_t>());
    open.line.cut_bytes = from.next<std::uint64_t>();
    const std::string_view text = from.next_bytes(from.next<std::uint32_t>());
    open.line.text = text.substr(0, line_bytes_max_);  // lines may be shorter than when it was written
    open.line.cut_bytes += text.size() - open.line.text.size();
  }
  if (ours && from.ok() && from.at_end()) return true;
  open_ = {};
  return false;
}

}  // namespace tideover::tail
