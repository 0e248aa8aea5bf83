// A RocksDB log on disk, read past what is damaged in it, and the one that may stand for it. Blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "wal/base/result.h"
#include "wal/rocks/log_walk.h"

namespace tideover::wal {

class CarefulReader;

// Walks a log a few blocks at a time, so that it needs no room for all of it.
class LogFile {
 public:
  // Both outlive it.
  LogFile(CarefulReader& reader, const std::string& path)
      : reader_(reader), path_(path), walker_([this](std::uint64_t number) { return block(number); }) {}
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  std::optional<LogPiece> next() { return walker_.next(); }
  // Ask behind the last piece: a log that could not be read seems to end there.
  const std::optional<Error>& error() const { return error_; }

 private:
  std::string_view block(std::uint64_t number);

  CarefulReader& reader_;
  const std::string& path_;
  std::uint64_t first_ = 0;  // block in memory
  std::string bytes_;
  std::optional<Error> error_;
  LogWalker walker_;
};

// Calls `take` for every intact record of a log, in order, until it answers false. Returns the damaged bytes.
// Errors: io_error, not_found.
Result<std::uint64_t> read_log(CarefulReader& reader, const std::string& path,
                               const std::function<bool(std::string_view record)>& take);

// Where the log is to be read that was written as `path`: beside it, when it was salvaged.
std::string clean_log(const std::string& path);
std::string log_to_read(const std::string& path);

}  // namespace tideover::wal
