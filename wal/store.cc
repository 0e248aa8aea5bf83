#include "wal/store.h"

#include <algorithm>

namespace tideover::wal {

bool Released::contains(Seq seq) const {
  return seq < before && std::ranges::none_of(kept, [seq](const SeqRange& range) {
           return range.from <= seq && seq < range.until;
         });
}

std::vector<SeqRange> Released::ranges() const {
  std::vector<SeqRange> all;
  Seq from{0};
  for (const SeqRange& range : kept) {
    if (from < range.from) all.push_back({from, range.from});
    from = range.until;
  }
  if (from < before) all.push_back({from, before});
  return all;
}

}  // namespace tideover::wal
