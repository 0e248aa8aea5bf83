#include "agent/home.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <linux/magic.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace tideover {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

bool is_of_the_kernel(const std::string& path) {
  constexpr std::array<unsigned long, 6> kOwn = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,   CGROUP_SUPER_MAGIC,
                                                 CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC, SECURITYFS_MAGIC};
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 &&
         std::ranges::find(kOwn, static_cast<unsigned long>(info.f_type)) != kOwn.end();
}

std::string first_stranger(const std::string& path) {
  constexpr std::array<std::string_view, 4> kOurs = {"store", "metrics", "admin.sock", "lost+found"};
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    if (std::ranges::find(kOurs, it->path().filename().native()) == kOurs.end())
      return it->path().filename().string();
  return {};
}

}  // namespace

fs::path nearest_existing(const std::string& path) {
  std::error_code error;
  fs::path at = fs::absolute(path, error).lexically_normal();
  while (!fs::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  return at;
}

DirectoryFacts look_at_directory(const std::string& path) {
  DirectoryFacts facts;
  facts.user = ::geteuid();
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    facts.exists = true;
    facts.is_directory = S_ISDIR(info.st_mode);
    facts.owner = info.st_uid;
    facts.mode = info.st_mode & 07777;
    facts.writable = ::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
    facts.kernels = is_of_the_kernel(path);
    if (facts.is_directory && (facts.mode & kOthersWrite) != 0) facts.stranger = first_stranger(path);
  } else if (errno == ENOENT && ::lstat(path.c_str(), &info) == 0) {
    facts.error = "it is a link to something that does not exist";
  } else if (errno == ENOENT) {
    facts.parent = nearest_existing(path).string();
    facts.writable = ::faccessat(AT_FDCWD, facts.parent.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
    facts.kernels = is_of_the_kernel(facts.parent);
  } else {
    facts.error = std::strerror(errno);
  }
  return facts;
}

Judgement judge_home(const std::string& path, const DirectoryFacts& f) {
  const auto no = [](std::string sentence) { return Judgement{Use::no, std::move(sentence)}; };
  if (!f.error.empty()) return no(fmt::format("{} cannot be looked at: {}", path, f.error));
  if (f.kernels)
    return no(fmt::format(
        "{} is on a file system of the kernel's own, which keeps no files: name another directory", path));
  if (!f.exists && f.writable)
    return {Use::create, fmt::format("{} does not exist yet: the agent creates it below {}", path, f.parent)};
  if (!f.exists)
    return no(fmt::format(
        "{} does not exist, and user {} may not create it in {}: run `install -d -m 700 -o {} {}`", path,
        f.user, f.parent, f.user, path));
  if (!f.is_directory) return no(fmt::format("{} is not a directory", path));
  const bool ours = f.owner == f.user;
  if (!f.writable && ours)
    return no(fmt::format("{} cannot be written: is its file system mounted read-only?", path));
  if (!f.writable)
    return no(fmt::format(
        "{0} belongs to user {1} (mode {2:04o}), and user {3} may not write it: run `chown {3} {0}`, "
        "set the pod's fsGroup, or run the agent as user {1}",
        path, f.owner, f.mode, f.user));
  const bool others_remove = (f.mode & S_ISVTX) == 0;  // what we make in it
  if (!ours && (f.mode & S_IWOTH) != 0 && others_remove)
    return no(fmt::format(
        "{0} can be written by every user (mode {1:04o}) and belongs to user {2}: have that user run "
        "`chmod o-w {0}`, or name a directory below it, {0}/tideover",
        path, f.mode, f.owner));
  if (ours && (f.mode & kOthersWrite) != 0 && others_remove) {
    if (!f.stranger.empty())
      return no(fmt::format(
          "{0} can be written by others (mode {1:04o}) and holds {2}, which is not the agent's: run "
          "`chmod go-w {0}`, or name a directory below it, {0}/tideover",
          path, f.mode, f.stranger));
    return {Use::narrow,
            fmt::format(
                "{} can be written by others (mode {:04o}): the agent takes that from them when it starts",
                path, f.mode)};
  }
  if (!ours)
    return {Use::as_it_is, fmt::format("{} belongs to user {}, mode {:04o}, and user {} may write it", path,
                                       f.owner, f.mode, f.user)};
  return {Use::as_it_is, fmt::format("{} belongs to user {}, mode {:04o}", path, f.owner, f.mode)};
}

Judgement judge_store(const std::string& path, const DirectoryFacts& f) {
  if (!f.error.empty()) return {Use::no, fmt::format("{} cannot be looked at: {}", path, f.error)};
  if (!f.exists) return {Use::create, fmt::format("{} does not exist yet", path)};
  if (!f.is_directory) return {Use::no, fmt::format("{} is not a directory", path)};
  if (f.owner != f.user)
    return {Use::no,
            fmt::format("{0} belongs to user {1}, but the agent runs as user {2}: run `chown -R {2} {0}`, or "
                        "run the agent as user {1}",
                        path, f.owner, f.user)};
  if (!f.writable)
    return {Use::no, fmt::format("{} cannot be written: is its file system mounted read-only?", path)};
  if ((f.mode & (S_IRWXG | S_IRWXO)) != 0)
    return {Use::narrow, fmt::format("{} is open to others (mode {:04o}): the agent closes it when it starts",
                                     path, f.mode)};
  return {Use::as_it_is, fmt::format("{} belongs to user {}, mode {:04o}", path, f.owner, f.mode)};
}

}  // namespace tideover
