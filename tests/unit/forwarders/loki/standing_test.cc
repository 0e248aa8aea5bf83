// Which streams may share a push: only what an ingester can have no reason to refuse stands before the last
// one.
#include "forwarders/loki/standing.h"

#include <catch2/catch.hpp>
#include <vector>

namespace tideover::loki {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHour = 3600LL * 1'000'000'000;
constexpr std::int64_t kStart = 1'790'000'000LL * 1'000'000'000;

Candidate stream(std::uint64_t hash, std::int64_t ns = kStart, std::uint64_t bytes = 100) {
  return {hash, bytes, ns, ns};
}

struct Case {
  Standing standing;
  Time now{1h};

  void push(std::vector<Candidate> streams) { standing.stored(streams, now); }
  bool sure(const Candidate& candidate) const { return standing.sure(candidate, now); }
  std::vector<std::size_t> order(std::vector<Candidate> streams) const {
    return standing.order(streams, now);
  }
};

TEST_CASE("a stream is sure once it was stored as the last of its push, and no other is") {
  Case c;
  CHECK_FALSE(c.sure(stream(1)));
  c.push({stream(1), stream(2), stream(3)});
  CHECK_FALSE(c.sure(stream(1)));
  CHECK_FALSE(c.sure(stream(2)));
  CHECK(c.sure(stream(3)));
  c.push({stream(1)});
  CHECK(c.sure(stream(1)));
}

TEST_CASE("a proof is good for ten minutes, also of a stream that is sent all the time") {
  Case c;
  c.push({stream(1)});
  for (int minute = 0; minute < 9; ++minute) {
    c.now += 1min;
    CHECK(c.sure(stream(1)));
    c.push({stream(1), stream(2)});
  }
  c.now += 61s;
  CHECK_FALSE(c.sure(stream(1)));
}

TEST_CASE("nothing is sure after a refusal") {
  Case c;
  c.push({stream(1)});
  c.standing.doubt();
  CHECK_FALSE(c.sure(stream(1)));
}

TEST_CASE("entries far behind the newest that the stream has are not sure, wherever that was sent") {
  Case c;
  c.push({stream(1)});
  CHECK(c.sure(stream(1, kStart - kHour / 2)));
  CHECK_FALSE(c.sure(stream(1, kStart - kHour / 2 - 1)));
  c.push({stream(1, kStart + kHour), stream(2)});
  CHECK_FALSE(c.sure(stream(1, kStart + kHour / 2 - 1)));
}

TEST_CASE("entries that lie far apart are not sure: the newest may come first") {
  Case c;
  c.push({stream(1)});
  CHECK_FALSE(c.sure({1, 100, kStart, kStart + kHour}));
}

TEST_CASE("a stream that sends much in a short time is not sure, and is again once it sends less") {
  Case c;
  c.push({stream(1)});
  CHECK_FALSE(c.sure(stream(1, kStart, 3 << 20)));
  for (int i = 0; i < 2; ++i) c.push({stream(1, kStart, 1 << 20), stream(2)});
  CHECK_FALSE(c.sure(stream(1)));
  c.now += 4s;
  CHECK(c.sure(stream(1)));
}

TEST_CASE("what is sure goes first, in its order, and what is not behind it") {
  Case c;
  for (const std::uint64_t hash : {2, 4}) c.push({stream(hash)});
  CHECK(c.order({stream(1), stream(2), stream(3), stream(4)}) == std::vector<std::size_t>{1, 3, 0, 2});
  CHECK(c.order({stream(2), stream(4)}) == std::vector<std::size_t>{0, 1});
}

TEST_CASE("of streams that are all sure, the one proven longest ago is proven anew") {
  Case c;
  c.push({stream(1)});
  c.now += 1min;
  c.push({stream(2)});
  c.push({stream(3)});
  CHECK(c.order({stream(1), stream(2), stream(3)}) == std::vector<std::size_t>{0, 1, 2});
  c.now += 90s;
  CHECK(c.order({stream(1), stream(2), stream(3)}) == std::vector<std::size_t>{1, 2, 0});
}

TEST_CASE("a hundred streams that are sent each second are all proven in time by the pushes that there are") {
  Case c;
  std::vector<Candidate> all;
  for (std::uint64_t hash = 1; hash <= 100; ++hash) {
    all.push_back(stream(hash));
    c.push({stream(hash)});
  }
  for (int second = 0; second < 3600; ++second) {
    c.now += 1s;
    std::vector<Candidate> push;
    for (const std::size_t i : c.order(all)) push.push_back(all[i]);
    for (const Candidate& candidate : push) REQUIRE(c.sure(candidate));
    c.push(push);
  }
}

TEST_CASE("no more streams are remembered than the limit says, and the oldest proofs go first") {
  StandingLimits limits;
  limits.streams = 100;
  Case c{Standing(limits)};
  for (std::uint64_t hash = 1; hash <= 1000; ++hash) {
    c.now += 1ms;
    c.push({stream(hash)});
    REQUIRE(c.standing.size() <= 100);
    REQUIRE(c.sure(stream(hash)));
  }
  CHECK(c.sure(stream(990)));
  CHECK_FALSE(c.sure(stream(800)));
}

}  // namespace
}  // namespace tideover::loki
