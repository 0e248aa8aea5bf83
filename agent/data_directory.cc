#include "agent/data_directory.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

#include "agent/log/log.h"
#include "wal/store_directory.h"

namespace tideover {

namespace fs = std::filesystem;

namespace {

std::string earlier_store(const std::string& data_dir) { return data_dir + "/metrics"; }

}  // namespace

std::string socket_path(const std::string& data_dir) { return data_dir + "/admin.sock"; }

std::string store_directory(const std::string& data_dir) { return data_dir + "/store"; }

std::string present_store(const std::string& data_dir) {
  std::error_code error;
  const bool earlier = fs::is_directory(earlier_store(data_dir), error);
  return earlier ? earlier_store(data_dir) : store_directory(data_dir);
}

Result<> adopt_earlier_store(const std::string& data_dir) {
  const std::string earlier = earlier_store(data_dir);
  const std::string store = store_directory(data_dir);
  std::error_code error;
  if (!fs::is_directory(earlier, error)) return {};
  if (fs::exists(store, error))
    return fail(
        Errc::store_refused,
        fmt::format("there are two stores, {} and {}: an agent of an earlier version has run here since. "
                    "Move one of them away; what is in the one that stays is delivered",
                    earlier, store));
  wal::DirectoryLock lock;  // an agent of an earlier version may run
  if (auto taken = lock.take(earlier); !taken) return taken.error();
  if (std::rename(earlier.c_str(), store.c_str()) != 0)
    return wal::system_error(errno, fmt::format("rename {} to {}", earlier, store));
  if (auto synced = wal::sync_directory(data_dir); !synced) return synced.error();
  log::event(log::Level::info, "the store of an earlier version was taken over", {{"directory", store}});
  return {};
}

}  // namespace tideover
