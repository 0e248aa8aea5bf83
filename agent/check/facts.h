// What the node looks like: facts for the judgements of judge.h. Blocking; changes nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace tideover::check {

struct DiskFacts {
  std::uint64_t size_bytes = 0;
  std::uint64_t free_bytes = 0;  // for this user
};
// Of the file system that holds `path`, or would hold it.
std::optional<DiskFacts> look_at_disk(const std::string& path);

struct FileFacts {
  bool exists = false;
  bool is_file = false;
  bool readable = false;
  bool empty = false;
  mode_t mode = 0;
};
FileFacts look_at_file(const std::string& path);

// What lies where the operators' socket is to be, though no agent answers there.
enum class AtSocket { nothing, left_behind, in_use, no_socket };
AtSocket look_at_socket(const std::string& path);

struct ClockFacts {
  std::chrono::system_clock::time_point now;
  std::optional<bool> synchronised;  // what the kernel says; absent when it does not say
};
ClockFacts look_at_clock();

// Started by a kubelet.
bool in_kubernetes();

// The memory limit of our cgroup, v2 or v1; absent when there is none. `root` stands for "/".
std::optional<std::uint64_t> cgroup_memory_limit(const std::filesystem::path& root = "/");

}  // namespace tideover::check
