// What lies where in the data directory.
#pragma once

#include <optional>
#include <string>

#include "wal/base/result.h"

namespace tideover {

std::string socket_path(const std::string& data_dir);      // the operators' socket
std::string store_directory(const std::string& data_dir);  // of the queue, whatever signals are in it

// Where the store is now: by the name that it had in earlier versions until adopt_earlier_store(). Blocking.
std::string present_store(const std::string& data_dir);

// Blocking. Creates the data directory when it is missing, and closes one of ours that others may write; what
// it refuses, and why, is judge_home()'s. Errors: store_refused, disk_full, io_error.
Result<> prepare_home(const std::string& data_dir);

// Held by the one agent whose data directory it is, from before its store can be opened: the operators'
// socket in it is that agent's. Freed by the kernel when the process ends or executes another image.
class HomeLock {
 public:
  HomeLock() = default;
  ~HomeLock();
  HomeLock(const HomeLock&) = delete;
  HomeLock& operator=(const HomeLock&) = delete;

  // Blocking. No effect once it is held. Needs no space, and passes where the file system knows no locks:
  // then the store's own decides. Errors: store_busy, io_error.
  Result<> take(const std::string& data_dir);

 private:
  int fd_ = -1;
};

// Blocking. Why nobody can say which store is the one, when there are two.
std::optional<std::string> two_stores(const std::string& data_dir);

// Blocking. The store of earlier versions, which was called after the one signal there was, gets its name.
// Crash before or after: it has the one name or the other. Errors: store_busy, io_error; store_refused, when
// both are there.
Result<> adopt_earlier_store(const std::string& data_dir);

}  // namespace tideover
