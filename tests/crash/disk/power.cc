#include "tests/crash/disk/power.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tideover::disk {
namespace {

namespace fs = std::filesystem;

const char* setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::uint64_t number(const char* name) { return std::strtoull(setting(name), nullptr, 10); }

Inode inode_of(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

// Set while our own work must not be taken for the process's.
thread_local bool quiet = false;

Power* Power::instance() {
  static Power* const power = [] {
    const std::string root = setting("TIDEOVER_DISK_ROOT");
    quiet = true;
    auto* made = root.empty() ? nullptr : new Power(root, setting("TIDEOVER_DISK_GRAVES"));
    quiet = false;
    return made;
  }();
  return power;
}

Power::Power(std::string root, std::string graves)
    : root_(std::move(root)), graves_(std::move(graves)), random_(number("TIDEOVER_DISK_SEED")) {
  fs::create_directories(graves_);
  // A journal counts once the first look is in it: a process that is killed before has done nothing else.
  const std::string journal = graves_ + "/journal";
  const std::string begun = journal + ".begun";
  const bool resumed = fs::exists(journal);
  if (std::ifstream earlier(journal); resumed) {
    for (std::string line; std::getline(earlier, line);) model_.replay(line);
  }
  const std::string& own = resumed ? journal : begun;
  journal_ = ::open(own.c_str(), O_WRONLY | O_CREAT | (resumed ? O_APPEND : O_TRUNC) | O_CLOEXEC, 0600);
  model_.tell([this](const std::string& line) {
    const bool before = std::exchange(quiet, true);
    [[maybe_unused]] const ssize_t written = ::write(journal_, line.data(), line.size());
    quiet = before;
  });
  if (resumed) {
    catch_up();
  } else {
    look_around();
    fs::rename(begun, journal);
  }
  const std::string cut = setting("TIDEOVER_DISK_CUT");
  if (const auto colon = cut.find(':'); colon != std::string::npos) {
    cut_at_ = std::strtoull(cut.c_str() + colon + 1, nullptr, 10);
    const std::string kind = cut.substr(0, colon);
    cut_kind_ = kind == "write"  ? Operation::write
                : kind == "sync" ? Operation::sync
                : kind == "name" ? Operation::name
                                 : Operation::any;
  }
  const std::string trouble = setting("TIDEOVER_DISK_TROUBLE");
  if (const auto from = trouble.find(':'), count = trouble.rfind(':'); from != count) {
    const bool full = trouble.starts_with("full");
    trouble_kind_ = full ? Operation::write : Operation::sync;
    trouble_errno_ = full ? ENOSPC : EIO;
    trouble_from_ = std::strtoull(trouble.c_str() + from + 1, nullptr, 10);
    trouble_left_ = std::strtoull(trouble.c_str() + count + 1, nullptr, 10);
  }
  sync_us_max_ = number("TIDEOVER_DISK_SYNC_US");
  lies_ = number("TIDEOVER_DISK_LIES") != 0;
}

void Power::look_around() {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_)) {
    if (!entry.is_directory() && !entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    model_.found(path, {inode_of(path), entry.is_directory()}, entry.is_directory() ? 0 : entry.file_size());
  }
}

// A process is killed between a change of names and its line in the journal: it happened, and is not durable.
void Power::catch_up() {
  Names real;
  std::map<Inode, std::string> places;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_)) {
    if (!entry.is_directory() && !entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    real[path] = {inode_of(path), entry.is_directory()};
    if (entry.is_regular_file()) places[real[path].inode] = path;
  }
  const auto as_known = [](const Name& known, const Name& found) {
    return known.directory == found.directory && (known.directory || known.inode == found.inode);
  };
  for (const auto& [path, name] : model_.now()) {
    const auto here = real.find(path);
    if (here != real.end() && as_known(name, here->second)) continue;
    const auto elsewhere = name.directory ? places.end() : places.find(name.inode);
    if (elsewhere != places.end())
      model_.moved(path, elsewhere->second);
    else if (here == real.end())
      model_.removed(path);
  }
  const Names known = model_.now();
  for (const auto& [path, name] : real)
    if (const auto found = known.find(path); found == known.end() || !as_known(found->second, name))
      model_.added(path, name);
}

bool Power::holds(const std::string& path) const { return path == root_ || path.starts_with(root_ + "/"); }

std::string Power::absolute(const char* path, int directory_fd) {
  fs::path whole(path);
  if (whole.is_relative()) {
    std::string base;
    if (directory_fd == AT_FDCWD) {
      base = fs::current_path().string();
    } else {
      base.resize(4096);
      const std::string link = "/proc/self/fd/" + std::to_string(directory_fd);
      const ssize_t size = ::readlink(link.c_str(), base.data(), base.size());
      base.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    }
    whole = base / whole;
  }
  std::string text = whole.lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string Power::grave(Inode inode) const { return graves_ + "/" + std::to_string(inode); }

void Power::bury(const std::string& path) {
  if (const Inode inode = inode_of(path); inode != 0) ::link(path.c_str(), grave(inode).c_str());
}

void Power::done(Operation kind) {
  ++counts_[static_cast<int>(Operation::any)];
  ++counts_[static_cast<int>(kind)];
  if (cut_at_ != 0 && counts_[static_cast<int>(cut_kind_)] == cut_at_ &&
      (cut_kind_ == Operation::any || cut_kind_ == kind))
    cut();
}

int Power::trouble(Operation kind) {
  if (trouble_left_ == 0 || counts_[static_cast<int>(Operation::any)] < trouble_from_) return 0;
  if ((kind == Operation::sync) != (trouble_kind_ == Operation::sync)) return 0;
  --trouble_left_;
  return trouble_errno_;
}

bool Power::sync(std::unique_lock<std::mutex>& lock, Inode inode, const std::string& directory) {
  const std::uint64_t serial = model_.serial();
  if (sync_us_max_ != 0) {
    const std::uint64_t microseconds = random_() % sync_us_max_;
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    lock.lock();
  }
  done(Operation::sync);
  if (const int error = trouble(Operation::sync); error != 0) {
    errno = error;
    return false;
  }
  if (lies_) return true;
  if (directory.empty())
    model_.file_synced(inode, serial);
  else
    model_.directory_synced(directory, serial);
  return true;
}

// The other threads wait for the lock, those that talk to the network included as soon as they touch a file:
// what they still answer is durable.
void Power::cut() {
  quiet = true;
  const Aftermath after = model_.after_power_cut([this](std::uint64_t below) { return random_() % below; });
  materialise(after);
  std::fprintf(stderr, "power cut at operation %llu (write %llu, sync %llu, name %llu): %s\n",
               static_cast<unsigned long long>(counts_[0]), static_cast<unsigned long long>(counts_[1]),
               static_cast<unsigned long long>(counts_[2]), static_cast<unsigned long long>(counts_[3]),
               after.summary.c_str());
  ::_exit(kPowerCutStatus);
}

void Power::materialise(const Aftermath& after) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_))
    if (entry.is_regular_file()) bury(entry.path().string());
  for (const fs::directory_entry& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
  // By path: a directory comes before what is in it.
  for (const auto& [path, name] : after.names) {
    if (name.directory) {
      ::mkdir(path.c_str(), 0700);
    } else if (::link(grave(name.inode).c_str(), path.c_str()) != 0) {
      std::fprintf(stderr, "the test's disk has lost %s by its own mistake\n", path.c_str());
      std::abort();
    }
  }
  for (const auto& [inode, loss] : after.losses) {
    const int fd = ::open(grave(inode).c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) continue;  // its name is gone, too
    for (const Loss::Patch& patch : loss.patches) {
      [[maybe_unused]] const ssize_t written =
          ::pwrite(fd, patch.bytes.data(), patch.bytes.size(), static_cast<off_t>(patch.offset));
    }
    [[maybe_unused]] const int cut = ::ftruncate(fd, static_cast<off_t>(loss.size));
    ::close(fd);
  }
  fs::remove_all(graves_);
}

}  // namespace tideover::disk
