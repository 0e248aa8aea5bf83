// Whose log a file is, and where it stands in the chain of its container's files: from its path alone, as
// kubelet makes it (kubernetes pkg/kubelet/kuberuntime/helpers.go,
// pkg/kubelet/logs/container_log_manager.go).
//
//   /var/log/pods/NAMESPACE_POD_UID/CONTAINER/RESTART.log                        being written
//   .../RESTART.log.YYYYMMDD-HHMMSS[.gz]                                         rotated, later compressed
//   .../RESTART.log.YYYYMMDD-HHMMSS.tmp                                          being compressed: nobody's
//
// Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tideover::tail {

struct Container {
  std::string namespace_name;
  std::string pod;
  std::string uid;  // of the pod; of a static one the hash of its manifest
  std::string name;

  auto operator<=>(const Container&) const = default;
};

// Of a container's files the one that sorts first was written first.
struct Place {
  std::uint32_t restart = 0;
  std::string rotated;  // when, in the node's time, as kubelet writes it; empty: it is being written
  bool compressed = false;

  bool operator==(const Place&) const = default;
  // Rotated ones by their time, then the one being written.
  friend bool operator<(const Place& a, const Place& b) {
    if (a.restart != b.restart) return a.restart < b.restart;
    if (a.rotated.empty() != b.rotated.empty()) return b.rotated.empty();
    return a.rotated < b.rotated;
  }
};

struct PodFile {
  Container container;
  Place place;
};

// nullopt: not a file of a container's log. `path` begins with the directory of pods, without a slash at the
// end.
std::optional<PodFile> parse_pod_path(std::string_view pods_directory, std::string_view path);

// The same of the file's name alone.
std::optional<Place> parse_pod_file_name(std::string_view name);

}  // namespace tideover::tail
