#include "wal/rocks/released_marks.h"

#include <algorithm>
#include <cstdlib>

#include "wal/queue_state.h"
#include "wal/rocks/meta.h"

namespace tideover::wal {

LaneMarks::Snapshot released_marks(const std::map<std::string, std::string>& meta) {
  LaneMarks::Snapshot marks;
  const auto stands_at = [&marks](LaneId lane, Seq next) {
    const auto [mark, first] = marks.try_emplace(lane, next);
    mark->second.before = std::min(mark->second.before, next);
  };
  const auto lane_named = [&meta](const std::string& name) {
    const auto value = meta.find(lane_key(name));
    return value == meta.end() ? std::nullopt : decode_lane(value->second);
  };
  for (const auto& [key, value] : meta) {
    const auto name = parse_cursor_key(key);
    if (!name) continue;
    const auto lane = lane_named(name->lane);
    const auto state = decode_cursor(value);
    // One that cannot be read may stand anywhere, and without its lane's value another may be missing.
    stands_at(lane && lane->number ? *lane->number : lane_id(name->lane),
              lane && state ? state->next : Seq{0});
  }
  for (const auto& [key, value] : meta) {
    const auto name = parse_lane_key(key);
    const auto lane = name ? decode_lane(value) : std::nullopt;
    if (!lane) continue;
    for (const std::string& cursor : lane->cursors)
      if (!meta.contains(cursor_key(*name, cursor))) stands_at(*lane->number, Seq{0});
  }
  for (auto it = meta.lower_bound(std::string(kReleasedPrefix));
       it != meta.end() && it->first.starts_with(kReleasedPrefix); ++it) {
    const char* lane = it->first.c_str() + kReleasedPrefix.size();
    Seq& mark = marks[LaneId{static_cast<std::uint32_t>(std::strtoul(lane, nullptr, 10))}].before;
    mark = std::max(mark, Seq{std::strtoull(it->second.c_str(), nullptr, 10)});
  }
  return marks;
}

}  // namespace tideover::wal
