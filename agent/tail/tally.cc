#include "agent/tail/tally.h"

#include <algorithm>

namespace tideover::tail {

Tally& Tally::operator+=(const Tally& more) {
  lines += more.lines;
  bytes += more.bytes;
  spooled += more.spooled;
  dropped += more.dropped;
  cut += more.cut;
  foreign += more.foreign;
  missed_bytes += more.missed_bytes;
  perhaps_more += more.perhaps_more;
  truncations += more.truncations;
  damaged_bytes += more.damaged_bytes;
  chains += more.chains;
  open_files += more.open_files;
  pinned_bytes += more.pinned_bytes;
  lag_bytes += more.lag_bytes;
  return *this;
}

SpoolStatus summarise(std::vector<ContainerTally> all, const Tally& gone, std::size_t count) {
  SpoolStatus status;
  status.gone = gone;
  status.total = gone;
  for (const ContainerTally& one : all) status.total += one.tally;
  const std::size_t named = std::min(count, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(named),
                            [](const ContainerTally& a, const ContainerTally& b) {
                              return a.tally.bytes != b.tally.bytes ? a.tally.bytes > b.tally.bytes
                                                                    : a.path < b.path;
                            });
  for (std::size_t i = named; i < all.size(); ++i) status.rest += all[i].tally;
  all.resize(named);
  status.largest = std::move(all);
  return status;
}

}  // namespace tideover::tail
