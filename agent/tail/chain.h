// A chain: the files that were written one after the other as one log, and where to go on in them.
//
//   kubelet's (kubernetes pkg/kubelet/logs/container_log_manager.go), all in a container's directory:
//     0.log.20261128-100000.gz  0.log.20261128-110000  0.log  1.log          oldest first
//   plain files (logrotate(8)), beside each other:
//     app.log.2.gz  app.log.1  app.log         or with dates: app.log-20261128
//
// Order. Kubelet's names hold the node's local time, which comes twice when summer ends, so files of one
// restart are ordered by the time of their first line; names decide where there is none. Plain ones are
// ordered by when they were last written, which compressing keeps. The one that is being written is last.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tail/files.h"
#include "agent/tail/line_reader.h"
#include "agent/tail/position.h"

namespace tideover::tail {

struct Chain {
  // Of its position. Kubelet's: NAMESPACE_POD_UID/CONTAINER, which no other pod on the node has, ever: where
  // it was is known of it even when nothing is left of it; plain: the path. Not device and inode: those of a
  // chain change with every rotation, and each change would leave a position behind.
  std::string key;
  std::string directory;
  std::string base;  // plain: the name of the file that is being written; kubelet's: empty
  Format format = Format::cri;
};

struct Member {
  std::string name;
  std::uint32_t restart = 0;
  bool live = false;  // has the name that is written to
  bool compressed = false;
  std::int64_t order_ns = 0;  // of its first line, or when it was last written; 0: not known yet
  FileInfo info;
  std::uint64_t content_bytes = 0;  // inflated; of a compressed one as it says itself, in 32 bits
  std::string head;                 // its first kHeadBytes, inflated
  bool before_matches = true;  // the bytes before the position are those it knows; a compressed one is taken
                               // at its word here, and held to it while it is inflated
};

// By its name alone. nullopt: not one of the chain's, as what kubelet is still compressing (.tmp).
std::optional<Member> member_of(const Chain& chain, std::string_view name);

// Oldest first; one whose compressed copy stands beside it is there once, as itself.
std::vector<Member> in_order(std::vector<Member> members, Format format);

// Of the first line of the runtime in it; 0: there is none.
std::int64_t first_time(std::string_view head);

struct Spot {
  std::size_t member = 0;
  std::uint64_t offset = 0;
};
// Where the position is now, in `members` in order: under any name, compressed, or copied away by what
// truncates it. nullopt: it is gone, or its file was truncated and written anew.
std::optional<Spot> locate(const Position& position, const std::vector<Member>& members, Format format);

// The first one that the position is before, when locate() has found nothing; members.size(): none is.
std::size_t first_newer(const Position& position, const std::vector<Member>& members);

// What was there and is not any more, unread.
struct Missed {
  std::uint64_t bytes = 0;  // of members whose size was seen
  bool perhaps_more =
      false;  // whole members may have come and gone while nobody looked: nobody knows how many

  bool operator==(const Missed&) const = default;
};
// Of the position's own file, which locate() did not find.
Missed missed_with(const Position& position);
// Of what `before` had behind its `read`th member, and `now` has not.
Missed missed_between(const std::vector<Member>& before, std::size_t read, const std::vector<Member>& now);

}  // namespace tideover::tail
