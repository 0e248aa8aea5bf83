#include "agent/check/facts.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <string_view>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "agent/check/blocking_socket.h"
#include "agent/home.h"

namespace tideover::check {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> read_number(const fs::path& path) {
  std::ifstream file(path);
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;  // "max"
  return number;
}

// "0::/kubepods/x" gives "kubepods/x" for v2 (no controller named), "4:memory:/x" gives "x" for v1's memory.
std::optional<fs::path> cgroup_of_process(const fs::path& root, std::string_view controller) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) != controller) continue;
    return fs::path(line.substr(second + 1)).relative_path();
  }
  return std::nullopt;
}

// The smallest limit between the process's group and the top: each of them binds.
std::optional<std::uint64_t> smallest_limit(const fs::path& mount, fs::path group, const char* file) {
  std::optional<std::uint64_t> smallest;
  for (;;) {
    const auto limit = read_number(mount / group / file);
    if (limit && (!smallest || *limit < *smallest)) smallest = limit;
    if (group.empty()) return smallest;
    group = group.parent_path();
  }
}

}  // namespace

std::optional<DiskFacts> look_at_disk(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(nearest_existing(path).c_str(), &info) != 0) return std::nullopt;
  return DiskFacts{static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize,
                   static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize};
}

FileFacts look_at_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {.exists = true,
          .is_file = S_ISREG(info.st_mode),
          .readable = ::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0,
          .empty = info.st_size == 0,
          .mode = static_cast<mode_t>(info.st_mode & 07777)};
}

AtSocket look_at_socket(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return AtSocket::nothing;
  if (!S_ISSOCK(info.st_mode)) return AtSocket::no_socket;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  const auto connected = BlockingSocket::connect_unix(path, patience);
  return connected ? AtSocket::in_use : AtSocket::left_behind;
}

ClockFacts look_at_clock() {
  ClockFacts facts;
  facts.now = std::chrono::system_clock::now();
  timex state{};  // modes 0: only read
  if (const int answer = ::adjtimex(&state); answer >= 0)
    facts.synchronised = answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  return facts;
}

bool in_kubernetes() { return std::getenv("KUBERNETES_SERVICE_HOST") != nullptr; }

std::optional<std::uint64_t> cgroup_memory_limit(const std::filesystem::path& root) {
  // Above this v1 means "none": it answers the largest multiple of the page size instead of a word.
  constexpr std::uint64_t kNoLimit = 1ULL << 60;
  const fs::path mount = root / "sys/fs/cgroup";
  auto limit = smallest_limit(mount, cgroup_of_process(root, "").value_or(fs::path{}), "memory.max");
  if (!limit)
    limit = smallest_limit(mount / "memory", cgroup_of_process(root, "memory").value_or(fs::path{}),
                           "memory.limit_in_bytes");
  if (limit && *limit >= kNoLimit) return std::nullopt;
  return limit;
}

}  // namespace tideover::check
