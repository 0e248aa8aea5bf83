// What was read of logs and what became of it: of one container, of all. In memory: it begins with the
// process.
//
// For every container and for the whole: lines = spooled + dropped. The whole is the sum of the largest
// containers, of the rest, and of those that are gone. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tideover::tail {

struct Tally {
  std::uint64_t lines = 0;         // whole ones, read
  std::uint64_t bytes = 0;         // of files, inflated
  std::uint64_t spooled = 0;       // lines, durable in the queue
  std::uint64_t dropped = 0;       // lines, by rules
  std::uint64_t cut = 0;           // lines, whose end is missing since they were too long
  std::uint64_t foreign = 0;       // lines that are not the runtime's
  std::uint64_t missed_bytes = 0;  // were gone before they were read
  std::uint64_t perhaps_more = 0;  // times at which whole files may have been missed, unseen
  std::uint64_t truncations = 0;
  std::uint64_t damaged_bytes = 0;  // of compressed files, as they lie on disk
  // As they are now.
  std::uint64_t chains = 0;
  std::uint64_t open_files = 0;
  std::uint64_t pinned_bytes = 0;  // of files that were removed, and are held
  std::uint64_t lag_bytes = 0;     // on disk and not read yet, as last seen

  Tally& operator+=(const Tally& more);
  bool operator==(const Tally&) const = default;
};

struct ContainerTally {
  std::string path;  // NAMESPACE_POD_UID/CONTAINER
  Tally tally;
};

struct SpoolStatus {
  Tally total;
  std::vector<ContainerTally> largest;  // by bytes
  Tally rest;                           // all others that are there
  Tally gone;                           // what is not there any more, up to its end
  std::uint64_t left_out = 0;           // containers beyond the bound
};

// At most `count` of `all` by themselves.
SpoolStatus summarise(std::vector<ContainerTally> all, const Tally& gone, std::size_t count);

}  // namespace tideover::tail
