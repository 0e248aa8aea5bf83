// The directory of a store, as the operating system sees it: who may use it, who does, and what it takes.
//
// Blocking, everything here. Knows nothing of RocksDB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wal/base/result.h"

namespace tideover::wal {

// Creates the directory (mode 0700) when it is missing, so that it is there after a power cut. Errors:
// store_refused for a path that cannot be used; disk_full, io_error.
Result<> make_directory(const std::string& path);

// The same of a directory that is to be ours alone: one of ours that others may enter is closed to them,
// since kubelet opens volumes before every start. Errors: store_refused also for another owner, with the
// command that cures it.
Result<> prepare_directory(const std::string& path);

// Makes names durable: what was created, renamed or removed in the directory.
Result<> sync_directory(const std::string& path);

// The files and directories in it. Errors: io_error: what cannot be listed is not empty.
Result<std::vector<std::filesystem::path>> list_directory(const std::string& path);

// Writes a file that is there with all of `bytes` once this returns, and with what it had before until then.
// Errors: disk_full, io_error.
Result<> replace_file(const std::string& path, std::string_view bytes);

// Which of the two a failed system call means; the sentence names what was tried.
Error system_error(int error_number, std::string_view tried);

struct FreeSpace {
  std::uint64_t free_bytes = 0;  // of the file system, for this user
  std::uint64_t total_bytes = 0;
};
FreeSpace free_space(const std::string& path);  // one system call

// Files below the directory, as allocated. One system call a file: with a long backlog not for every second.
std::uint64_t used_bytes(const std::string& path);

// Held by the one process that uses a store. The kernel frees it when the process dies.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  // Errors: store_busy, naming the process when that is known; disk_full, io_error.
  Result<> take(const std::string& directory);

 private:
  int fd_ = -1;
};

// Who uses the store in this directory, in words; nothing when nobody does, or nobody can know. For a moment
// it holds the lock together with whoever else asks; take() outlasts that.
std::optional<std::string> lock_holder(const std::string& directory);

inline constexpr std::string_view kBallastName = "BALLAST";

// Space set aside for the hour when the disk is full: freeing space must never need space.
class Ballast {
 public:
  Ballast(std::string directory, std::uint64_t bytes);

  // Sets the space aside unless that would take more than an eighth of what is free. Best effort.
  void fill();
  void drop();
  std::uint64_t held() const;

 private:
  std::string path_;
  std::uint64_t bytes_;
};

}  // namespace tideover::wal
