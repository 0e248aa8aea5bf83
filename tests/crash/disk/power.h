// The disk below a process: real files in one directory, and a power cut that leaves of them what a disk
// would have. Set up by environment variables, since it is loaded into a process that knows nothing of it:
//
//   TIDEOVER_DISK_ROOT     the directory
//   TIDEOVER_DISK_GRAVES   a directory beside it, on the same file system: what was removed, until that is
//                          durable, and what is not durable yet, for the next process when this one is
//                          killed. Gone after a power cut; without it, everything in the directory is durable
//   TIDEOVER_DISK_SEED     of every choice below
//   TIDEOVER_DISK_CUT      KIND:N: the power goes with the Nth operation of that kind (any, write, sync,
//   name);
//                          the process ends with status 77, and what it was is written to standard error
//   TIDEOVER_DISK_TROUBLE  KIND:FROM:COUNT: from operation FROM on, COUNT of them fail: writes and creations
//   with
//                          ENOSPC (kind full), or syncs with EIO (kind eio), which makes nothing durable
//   TIDEOVER_DISK_SYNC_US  a sync takes up to so long; 0: at once
//   TIDEOVER_DISK_BAD      a table of sectors that cannot be read, see bad_sectors.h; it may change at any
//   time TIDEOVER_DISK_LIES     1: syncs answer "done" and do nothing, for showing that a test can fail
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

#include "tests/crash/disk/model.h"
#include "tests/crash/disk/status.h"

namespace tideover::disk {

enum class Operation : std::uint8_t { any, write, sync, name };

class Power {
 public:
  // The process's one disk; null when the environment names none.
  static Power* instance();

  bool holds(const std::string& path) const;
  static std::string absolute(const char* path, int directory_fd);

  // Everything below is called with the lock held, after the operation was done on the real files.
  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  Model& model() { return model_; }
  // Keeps a file that is about to lose its name.
  void bury(const std::string& path);
  // Counts the operation; does not return when the power goes with it.
  void done(Operation kind);

  // Whether the operation fails now, and errno if so; asked before it is done.
  int trouble(Operation kind);

  // Of one sync: what it covers, the time that it takes (without the lock), what it makes durable.
  // False: errno says why.
  bool sync(std::unique_lock<std::mutex>& lock, Inode inode, const std::string& directory);

 private:
  Power(std::string root, std::string graves);
  void look_around();
  void catch_up();
  [[noreturn]] void cut();
  void materialise(const Aftermath& after);
  std::string grave(Inode inode) const;

  const std::string root_, graves_;
  std::mutex mutex_;
  std::mt19937_64 random_;
  Model model_;
  int journal_ = -1;
  Operation cut_kind_ = Operation::any;
  std::uint64_t cut_at_ = 0;
  std::uint64_t counts_[4] = {};
  Operation trouble_kind_ = Operation::any;
  int trouble_errno_ = 0;
  std::uint64_t trouble_from_ = 0, trouble_left_ = 0;
  std::uint64_t sync_us_max_ = 0;
  bool lies_ = false;
};

}  // namespace tideover::disk
