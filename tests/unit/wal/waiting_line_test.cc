#include "wal/waiting_line.h"

#include <catch2/catch.hpp>

#include "tests/support/threaded_life.h"
#include "wal/lane.h"

namespace tideover::wal {
namespace {

using test_support::record;

SignalLimits groups_of(std::uint64_t bytes) {
  SignalLimits limits;
  limits.group_bytes = bytes;
  return limits;
}

Waiting waiting(Lane* lane, const std::string& name) {
  Waiting w;
  w.lane = lane;
  if (lane != nullptr) w.record = record(std::string(1000 - kEnvelopeBytes, 'x'));
  w.checkpoints.push_back({name, {}});
  return w;
}

std::string names(const std::vector<Waiting>& group) {
  std::string all;
  for (const Waiting& w : group) all += w.checkpoints.front().key;
  return all;
}

struct Two {
  Signal metrics{groups_of(100'000)}, logs{groups_of(2000)};
  Lane a{"a", LaneId{1}, metrics}, b{"b", LaneId{2}, logs};
  WaitingLine line;
};

TEST_CASE("signals take turns, so that none waits for all of another's") {
  Two t;
  for (const char* name : {"1", "2", "3", "4"}) t.line.push(waiting(&t.a, name));
  t.line.push(waiting(&t.b, "x"));
  CHECK(names(t.line.take(3000)) == "1x2");
  CHECK(names(t.line.take(3000)) == "34");
  CHECK(t.line.empty());
}

TEST_CASE("a signal has no more of a group than its limits allow, and at least one record") {
  Two t;
  for (const char* name : {"1", "2", "3"}) t.line.push(waiting(&t.b, name));
  CHECK(names(t.line.take(100'000)) == "12");
  CHECK(names(t.line.take(100'000)) == "3");
}

TEST_CASE("what lies before a mark goes first, what lies behind it after, in all lines") {
  Two t;
  t.line.push(waiting(&t.a, "1"));
  t.line.push(waiting(&t.b, "x"));
  t.line.push(waiting(nullptr, "|"));
  t.line.push(waiting(&t.b, "y"));
  CHECK(names(t.line.take(1)) == "1");
  CHECK(names(t.line.take(100'000)) == "x|y");
}

TEST_CASE("a mark waits where its signal's share of the group ends before it") {
  Two t;
  for (const char* name : {"1", "2", "3"}) t.line.push(waiting(&t.b, name));
  t.line.push(waiting(nullptr, "|"));
  t.line.push(waiting(&t.a, "m"));
  CHECK(names(t.line.take(100'000)) == "12");
  CHECK(names(t.line.take(100'000)) == "3|m");
}

TEST_CASE("waiting bytes are counted by signal and lane, until they are taken") {
  Two t;
  t.line.push(waiting(&t.a, "1"));
  t.line.push(waiting(&t.b, "x"));
  t.line.push(waiting(&t.b, "y"));
  CHECK(t.metrics.waiting_bytes == 1000);
  CHECK(t.logs.waiting_bytes == 2000);
  CHECK(t.b.waiting_bytes() == 2000);
  (void)t.line.take(1);
  CHECK(t.metrics.waiting_bytes == 0);
  CHECK(names(t.line.take_all()) == "xy");
  CHECK(t.logs.waiting_bytes == 0);
  CHECK(t.b.waiting_bytes() == 0);
  CHECK(t.line.empty());
}

}  // namespace
}  // namespace tideover::wal
