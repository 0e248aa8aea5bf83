// Reads a RocksDB log from end to end, past what is damaged in it. Internal to wal/rocks/log_*.cc.
//
// RocksDB believes nothing of a block behind a fragment that does not check. Here the next place is looked
// for from which fragments follow one another to the end of their block: what lies behind damage is intact.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tideover::wal {

// A record of the log, or what lies between two that are intact: [begin, end) of the file, headers included.
struct LogPiece {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool intact = false;
  std::string record;  // of an intact one: a write batch
};

class LogWalker {
 public:
  // The block of that number, shorter than a block at the end of the log, empty behind it. Valid until the
  // next call.
  using Blocks = std::function<std::string_view(std::uint64_t number)>;

  explicit LogWalker(Blocks blocks) : blocks_(std::move(blocks)) {}
  explicit LogWalker(std::string_view log);  // all of it in memory

  std::optional<LogPiece> next();  // nothing at the end

 private:
  void lose(std::uint64_t at);
  std::optional<LogPiece> found(LogPiece intact);
  std::optional<LogPiece> at_end(std::uint64_t end);

  const Blocks blocks_;
  std::uint64_t at_ = 0;
  std::optional<LogPiece> open_;         // a record of which the first fragments were read
  std::optional<std::uint64_t> lost_;    // since where nothing was intact
  std::optional<LogPiece> next_intact_;  // behind the damaged piece that was given out
};

}  // namespace tideover::wal
