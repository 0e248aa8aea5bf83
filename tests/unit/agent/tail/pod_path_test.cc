// Which file belongs to which container, and in which order a container's files were written.
#include "agent/tail/pod_path.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace tideover::tail {
namespace {

constexpr std::string_view kPods = "/var/log/pods";

std::optional<PodFile> parse(const std::string& rest) {
  return parse_pod_path(kPods, std::string(kPods) + "/" + rest);
}

TEST_CASE("a path names its container and its place") {
  const auto file =
      parse("kube-system_coredns-5d78c9869d-abcde_0b1c2d3e-0000-4444-8888-123456789abc/coredns/3.log");
  REQUIRE(file);
  CHECK(file->container == Container{"kube-system", "coredns-5d78c9869d-abcde",
                                     "0b1c2d3e-0000-4444-8888-123456789abc", "coredns"});
  CHECK(file->place == Place{3, "", false});
}

TEST_CASE("a rotated file says when, and whether it was compressed since") {
  CHECK(parse("n_p_u/c/0.log.20261128-100000")->place == Place{0, "20261128-100000", false});
  CHECK(parse("n_p_u/c/0.log.20261128-100000.gz")->place == Place{0, "20261128-100000", true});
}

TEST_CASE("what is no file of a container is nobody's") {
  for (const char* rest : {"",
                           "n_p_u",
                           "n_p_u/c",
                           "n_p_u/c/",
                           "n_p_u/c/0.log.20261128-100000.tmp",
                           "n_p_u/c/0.log.20261128-100000.gz.tmp",
                           "n_p_u/c/x.log",
                           "n_p_u/c/-1.log",
                           "n_p_u/c/+1.log",
                           "n_p_u/c/ 1.log",
                           "n_p_u/c/0.txt",
                           "n_p_u/c/0.log.",
                           "n_p_u/c/0.log.1",
                           "n_p_u/c/0.log.20261128-10000",
                           "n_p_u/c/0.log.20261128_100000",
                           "n_p_u/c/0.log.gz",
                           "n_p_u/c/0.logx",
                           "n_p_u/c/99999999999.log",
                           "n_p_u/c/d/0.log",
                           "n_p/c/0.log",
                           "_p_u/c/0.log",
                           "n__u/c/0.log",
                           "n_p_/c/0.log",
                           "n_p_u//0.log",
                           "n_p_u_x/c/0.log",
                           "n/x_p_u/c/0.log"}) {
    CAPTURE(rest);
    CHECK_FALSE(parse(rest));
  }
  CHECK_FALSE(parse_pod_path(kPods, "/var/log/podsn_p_u/c/0.log"));
  CHECK_FALSE(parse_pod_path(kPods, "/var/log/n_p_u/c/0.log"));
}

TEST_CASE("files sort as they were written: by restart, then by rotation, the one being written last") {
  std::vector<Place> places = {{1, "", false}, {0, "20261128-100000", true}, {1, "20261128-110000", false},
                               {0, "", false}, {0, "20261128-095959", true}, {10, "", false},
                               {2, "", false}};
  std::sort(places.begin(), places.end());
  CHECK(places == std::vector<Place>{{0, "20261128-095959", true},
                                     {0, "20261128-100000", true},
                                     {0, "", false},
                                     {1, "20261128-110000", false},
                                     {1, "", false},
                                     {2, "", false},
                                     {10, "", false}});
}

}  // namespace
}  // namespace tideover::tail
