#include "wal/released_marks.h"

#include <algorithm>
#include <cstdlib>

#include "wal/queue_state.h"
#include "wal/rocks_meta.h"

namespace tideover::wal {

LaneMarks::Snapshot released_marks(const std::map<std::string, std::string>& meta) {
  LaneMarks::Snapshot marks;
  for (const auto& [key, value] : meta) {
    const auto name = parse_cursor_key(key);
    if (!name) continue;
    const auto state = decode_cursor(value);
    const Seq next = state ? state->next : Seq{0};  // one that cannot be read may stand anywhere
    const auto [mark, first] = marks.try_emplace(lane_id(name->lane), next);
    mark->second = std::min(mark->second, next);
  }
  for (auto it = meta.lower_bound(std::string(kReleasedPrefix));
       it != meta.end() && it->first.starts_with(kReleasedPrefix); ++it) {
    const char* lane = it->first.c_str() + kReleasedPrefix.size();
    Seq& mark = marks[LaneId{static_cast<std::uint32_t>(std::strtoul(lane, nullptr, 10))}];
    mark = std::max(mark, Seq{std::strtoull(it->second.c_str(), nullptr, 10)});
  }
  return marks;
}

}  // namespace tideover::wal
