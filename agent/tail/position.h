// How far a chain has been read: what is committed in one batch with the lines that it stands for.
//
// A chain (chain.h) is read oldest first, so one place in one of its files stands for all of them: what is
// older is finished, what is newer has not begun. The file is known by device and inode, by what it begins
// with and by the last bytes before the place (issue 12, research of R2): the name is only where to look
// first. Inodes are used again, names move on, a truncated file keeps both; what was written stays.
// Places in a compressed file are counted in what it inflates to, so that they are those of the plain one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/tail/files.h"
#include "wal/base/result.h"

namespace tideover::tail {

inline constexpr std::size_t kHeadBytes = 1024;    // of a file's beginning; fewer while it is shorter
inline constexpr std::size_t kBeforeBytes = 64;    // before the place
inline constexpr std::size_t kNameBytesMax = 255;  // Linux: NAME_MAX

// So many bytes, by their hash.
struct Mark {
  std::uint32_t bytes = 0;
  std::uint64_t hash = 0;

  bool operator==(const Mark&) const = default;
};
Mark mark_of(std::string_view bytes);
// Does `text` begin with what was marked? A file that has grown since still does. Nothing marked: yes.
bool begins_with(std::string_view text, const Mark& mark);

struct Position {
  FileId id;
  std::string name;           // in the chain's directory, when it was last looked at
  std::uint32_t restart = 0;  // of the container
  std::int64_t order_ns = 0;  // see Member in chain.h
  Mark head;
  Mark before;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // when it was last looked at: what lies between is missed if it is gone
  std::string lines;       // what is unfinished: LineReader::encode()

  bool operator==(const Position&) const = default;
};

std::string encode(const Position& position);
// Errors: bad_input, for what is damaged or was written by a newer version.
Result<Position> decode_position(std::string_view value);

}  // namespace tideover::tail
