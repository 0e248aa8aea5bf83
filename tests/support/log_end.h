// What the end of a whole log says, as the opening of a store asks it.
#pragma once

#include <optional>
#include <string_view>

#include "wal/rocks/log_tail.h"
#include "wal/rocks/log_walk.h"

namespace tideover::wal {

inline LogTail tail_of(std::string_view log) {
  LogWalker walker(log);
  std::optional<LogPiece> last;
  while (auto piece = walker.next()) last = std::move(piece);
  return last && !last->intact ? inspect_log_tail(log, last->begin) : LogTail{};
}

}  // namespace tideover::wal
