#include "agent/data_directory.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/home.h"
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

Result<> prepare_home(const std::string& data_dir) {
  const DirectoryFacts facts = look_at_directory(data_dir);
  const Judgement judged = judge_home(data_dir, facts);
  if (judged.use == Use::no && facts.error.empty()) return fail(Errc::store_refused, judged.sentence);
  if (auto made = wal::make_directory(data_dir); !made) return made;
  if (judged.use != Use::narrow) return {};
  if (::chmod(data_dir.c_str(), facts.mode & 0755) != 0)
    return wal::system_error(errno, "close to others " + data_dir);
  log::event(log::Level::info, "the data directory could be written by others; that was taken from them",
             {{"directory", data_dir}});
  return {};
}

HomeLock::~HomeLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> HomeLock::take(const std::string& data_dir) {
  if (fd_ >= 0) return {};
  const int fd = ::open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return wal::system_error(errno, "open " + data_dir);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
    fd_ = fd;
    return {};
  }
  ::close(fd);
  const auto holder = wal::lock_holder(present_store(data_dir));
  return fail(Errc::store_busy,
              fmt::format("the data directory {} is in use by {}: one directory serves one agent", data_dir,
                          holder.value_or("another process")));
}

std::optional<std::string> two_stores(const std::string& data_dir) {
  std::error_code error;
  if (!fs::is_directory(earlier_store(data_dir), error) || !fs::exists(store_directory(data_dir), error))
    return std::nullopt;
  return fmt::format(
      "there are two stores, {} and {}: an agent of an earlier version has run here since. "
      "Move one of them away; what is in the one that stays is delivered",
      earlier_store(data_dir), store_directory(data_dir));
}

Result<> adopt_earlier_store(const std::string& data_dir) {
  const std::string earlier = earlier_store(data_dir);
  const std::string store = store_directory(data_dir);
  std::error_code error;
  if (!fs::is_directory(earlier, error)) return {};
  if (auto two = two_stores(data_dir)) return fail(Errc::store_refused, std::move(*two));
  wal::DirectoryLock lock;  // an agent of an earlier version may run
  if (auto taken = lock.take(earlier); !taken) return taken.error();
  if (std::rename(earlier.c_str(), store.c_str()) != 0)
    return wal::system_error(errno, fmt::format("rename {} to {}", earlier, store));
  if (auto synced = wal::sync_directory(data_dir); !synced) return synced.error();
  log::event(log::Level::info, "the store of an earlier version was taken over", {{"directory", store}});
  return {};
}

}  // namespace tideover
