// Who gives way when what arrives does not fit: by figures alone.
#include "agent/server/slowest.h"

#include <catch2/catch.hpp>
#include <vector>

namespace tideover::server {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 250ms;
constexpr std::size_t kKB = 1000;

struct Body {
  Duration waited;
  std::size_t bytes;
};

// All of them may come to a large size.
std::size_t loser(const std::vector<Body>& bodies, std::size_t asker_most = 8'000 * kKB) {
  std::vector<Arriving> arriving;
  for (const Body& body : bodies) arriving.push_back({body.waited, body.bytes, 8'000 * kKB});
  arriving.back().most = asker_most;
  return slowest(arriving, kPatience);
}

TEST_CASE("the slowest gives way, wherever it stands, and not the newest") {
  CHECK(loser({{20s, 100 * kKB}, {2s, 1000 * kKB}, {0s, 200 * kKB}}) == 0);
  CHECK(loser({{2s, 1000 * kKB}, {20s, 100 * kKB}, {0s, 200 * kKB}}) == 1);
  CHECK(loser({{10s, 8000 * kKB}, {5s, 8000 * kKB}, {1s, 8000 * kKB}}) == 0);
}

TEST_CASE("a large body on a slow line outlasts those that trickle, however little they hold") {
  CHECK(loser({{8s, 8000 * kKB}, {16s, 80 * kKB}, {9s, 45 * kKB}}) == 1);
  CHECK(loser({{12s, 8000 * kKB}, {10s, 80 * kKB}, {0s, 200 * kKB}}) == 1);
}

TEST_CASE("one that came quickly and then stands still is slow with time") {
  CHECK(loser({{3s, 8000 * kKB}, {1s, 6000 * kKB}, {100ms, 500 * kKB}}) == 0);
}

TEST_CASE("a small body is not slow for being small") {
  CHECK(loser({{5s, 8000 * kKB}, {5s, 8000 * kKB}, {400ms, 10 * kKB}}) != 2);
  CHECK(loser({{10s, 94 * kKB}, {10s, 94 * kKB}, {0s, 1}}) == 1);
}

TEST_CASE("in its first moments none is quicker than another: the one that brought least gives way") {
  CHECK(loser({{200ms, 3000 * kKB}, {100ms, 4000 * kKB}, {0s, 8000 * kKB}}) == 1);
  CHECK(loser({{249ms, 1000 * kKB}, {1ms, 1000 * kKB}}) == 1);
}

TEST_CASE("among equals who asks gives way, and so does one that is alone") {
  CHECK(loser({{1s, kKB}, {1s, kKB}, {1s, kKB}}) == 2);
  CHECK(loser({{0s, 0}}) == 0);
  CHECK(slowest(std::vector<Arriving>{{0s, 0, 0}, {0s, 0, 0}}, 0s) == 1);
}

TEST_CASE("who asks for little is served by those that hold much, even in their first moments") {
  const std::vector<Body> bursts = {
      {100ms, 7'000 * kKB}, {200ms, 8'000 * kKB}, {50ms, 8'000 * kKB}, {0s, 20 * kKB}};
  CHECK(loser(bursts, 20 * kKB) == 0);
  CHECK(loser(bursts, 8'000 * kKB) == 3);  // not when it says that it will be as large
  CHECK(loser({{100ms, kKB}, {100ms, kKB}, {0s, kKB}}, kKB) == 2);
}

TEST_CASE("a large body that comes well is not cut for a small one while others come slowly") {
  CHECK(loser({{8s, 8'000 * kKB}, {8s, 40 * kKB}, {9s, 45 * kKB}, {0s, 20 * kKB}}, 20 * kKB) == 2);
}

}  // namespace
}  // namespace tideover::server
