// The port to the file system that logs are read from; the simulator and the tests put their own in place.
//
// Whoever may write a log may also put something else under its name, to have the agent read what it should
// not or wait for ever. So open() takes regular files alone: no link is followed at the end of a path, a FIFO
// or a device is not even opened. Directories that the operator wrote out may be links; what a pattern
// matched is looked at with look(), which follows none.
// Executor: the one of whoever reads logs; every verb blocks. Errors: not_found; bad_input when it is not a
// regular file (or not a directory); unavailable when the process may open no more files; io_error with the
// system's words.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "wal/base/result.h"

namespace tideover::tail {

struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // used again by the file system once the file is gone

  auto operator<=>(const FileId&) const = default;
};

enum class Kind : std::uint8_t { regular, directory, other };  // other: links, FIFOs, sockets, devices

struct FileInfo {
  FileId id;
  Kind kind = Kind::other;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // unix
  std::uint64_t links = 0;       // 0: it has no name any more, and lives as long as it is open
};

class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual Result<FileInfo> info() = 0;
  // As many bytes as there are from `offset` on, at most the size of `into`; 0 at its end.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
};

class Files {
 public:
  virtual ~Files() = default;
  // Names in a directory, sorted, without "." and "..". Errors also: too_large when there are more.
  virtual Result<std::vector<std::string>> list(const std::string& directory, std::size_t names_max) = 0;
  virtual Result<FileInfo> look(const std::string& path) = 0;
  virtual Result<std::unique_ptr<OpenFile>> open(const std::string& path) = 0;
};

}  // namespace tideover::tail
