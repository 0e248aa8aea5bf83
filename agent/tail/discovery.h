// Which containers have logs on the node: by the directories that kubelet makes for them.
//
//   PODS/NAMESPACE_POD_UID/CONTAINER           e.g. /var/log/pods/shop_web-0_1234/app
//
// No link is followed below PODS, which itself may be one. To look again costs one look at PODS and one at
// each pod's directory; what has changed since, or so lately that a further change might not show in its
// time, is listed anew. What cannot be read is said and tried again; what is known of it stays.
// Bounded: no more than `names_max` names are read of a directory, no more than `containers_max` containers
// are known at once. Those that are known stay, of new ones what is too many is left out, said, and comes in
// when others have gone.
// Executor: the one of whoever reads logs; refresh() blocks.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/tail/files.h"
#include "agent/tail/pod_path.h"

namespace tideover::tail {

class Discovery {
 public:
  struct Options {
    std::string pods_directory = "/var/log/pods";  // without a slash at its end
    std::size_t names_max = 10'000;
    std::size_t containers_max = 4'096;
  };

  // `files` outlives it.
  Discovery(Files& files, Options options) : files_(files), options_(std::move(options)) {}

  // Looks again. True: containers() are others than before. Sentences for the log, each once while it holds.
  bool refresh(std::int64_t now_ns, std::vector<std::string>& notes);

  // By the path of the directory below PODS, which no other pod on the node has, ever: the uid is in it. No
  // longer than two names, which the system bounds.
  using Containers = std::map<std::string, Container, std::less<>>;
  const Containers& containers() const { return containers_; }

  const std::string& pods_directory() const { return options_.pods_directory; }
  // False: PODS cannot be listed, or no pod is in it. On a node that runs the agent there is always one, so
  // that what is missing then is rather the mount: nothing may be taken for gone.
  bool there() const { return !pods_.empty() && root_.trouble.empty(); }
  std::uint64_t left_out() const { return left_out_; }  // by the bounds, at the last look

 private:
  struct Listed {
    std::optional<FileInfo> info;  // nullopt: to be listed
    std::int64_t looked_ns = 0;
    std::string trouble;  // as it was said
  };
  using Pods = std::map<std::string, Listed, std::less<>>;

  bool refresh_pods(std::int64_t now_ns, std::vector<std::string>& notes);
  bool refresh_pod(const std::string& name, Listed& pod, std::int64_t now_ns,
                   std::vector<std::string>& notes);
  bool remove_all_of(const std::string& pod);

  Files& files_;
  const Options options_;
  Listed root_;
  Pods pods_;
  Containers containers_;
  std::uint64_t left_out_ = 0;
  bool said_left_out_ = false;
};

// Of a container's directory below PODS; nullopt: kubelet makes no such.
std::optional<Container> parse_container_path(std::string_view path);

}  // namespace tideover::tail
