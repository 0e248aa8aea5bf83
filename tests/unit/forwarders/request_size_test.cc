// The size of a request: what the receiver takes, what it answers in time, what an operator allows.
#include <algorithm>
#include <string>

#include "forwarders/sender_machine.h"
#include "forwarders/working_size.h"
#include "tests/unit/forwarders/machine_script.h"
#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;
using wal::Reason;

Answer silence(bool timeout = true) {
  Answer a = answer(Action::retry);
  a.in_doubt = true;
  a.silent = true;
  a.overloaded = timeout;
  if (timeout) a.latency = 30s;
  return a;
}

std::size_t largest(const MachineScript& script, std::size_t from) {
  std::size_t items = 0;
  for (std::size_t i = from; i < script.sent.size(); ++i) items = std::max(items, script.sent[i].items());
  return items;
}

TEST_CASE("what is never answered in time is sent in smaller requests, in order, until it is") {
  const std::size_t limit = GENERATE(1, 5, 300);
  const bool timeout = GENERATE(true, false);
  MachineScript script(Role::main, settled_limits(), {1'000, 7, 1'000},
                       [=](const Sending& s) { return s.items() > limit ? silence(timeout) : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 2'007);
  std::size_t next = 0;
  for (const Sending& s : script.sent) {
    if (!s.taken) continue;
    CHECK(s.first == next);
    next = s.last;
  }
}

TEST_CASE("the size that was answered is kept, and too much is asked rarely") {
  std::size_t unanswered = 0;
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(200, 1'000),
                       [&unanswered](const Sending& s) {
                         if (s.items() <= 100) return stored();
                         ++unanswered;
                         return silence();
                       });
  script.run();
  CHECK(script.settled_once());
  CHECK(unanswered < script.sent.size() / 10);
}

TEST_CASE("a single failure without an answer changes no size") {
  std::size_t n = 0;
  MachineScript script(Role::main, settled_limits(), {1'000, 1'000},
                       [&n](const Sending&) { return n++ % 2 == 0 ? silence() : stored(); });
  script.run();
  for (const Sending& s : script.sent) CHECK(s.items() == 1'000);
}

TEST_CASE("no connection at all says nothing about the size") {
  MachineScript script(Role::main, settled_limits(), {1'000},
                       [](const Sending& s) { return s.now < Time{1h} + 1h ? unreachable() : stored(); });
  script.run();
  for (const Sending& s : script.sent) CHECK(s.items() == 1'000);
}

TEST_CASE("after an outage of silence, however long, sizes are soon what they were") {
  const auto outage = GENERATE(1min, 10min, 60min, 24h);
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(200, 1'000),
                       [=](const Sending& s) { return s.now < Time{1h} + outage ? silence() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(largest(script, script.sent.size() - 1) == 1'000);
  const auto after = std::count_if(script.sent.begin(), script.sent.end(),
                                   [=](const Sending& s) { return s.now >= Time{1h} + outage; });
  CHECK(after < 200 + 200);
}

TEST_CASE("a lone record larger than the usual request goes out as it came, undecoded, until it is refused") {
  const MachineLimits limits = settled_limits();
  MachineScript script(Role::main, limits, {20'000, 20'000}, [](const Sending&) { return stored(); });
  script.raw_bytes = 30'000'000;
  script.run();
  CHECK(script.count(Fate::delivered) == 40'000);
  CHECK(script.sent.size() == 2);

  MachineScript strict(Role::main, limits, {20'000}, [](const Sending& s) {
    return s.items() > 5'000 ? answer(Action::halve, Reason::too_large) : stored();
  });
  strict.run();
  CHECK(strict.count(Fate::delivered) == 20'000);
}

TEST_CASE("a lone record larger than a request was set to be is sent in parts") {
  MachineLimits limits = settled_limits();
  SECTION("in samples") {
    limits.request.units = 300;
    MachineScript script(Role::main, limits, {1'000}, [](const Sending&) { return stored(); });
    script.run();
    CHECK(script.count(Fate::delivered) == 1'000);
    CHECK(largest(script, 0) <= 300);
  }
  SECTION("in bytes") {
    limits.request.raw_bytes = 100'000;
    MachineScript script(Role::main, limits, {1'000}, [](const Sending&) { return stored(); });
    script.raw_bytes = 1'000'000;
    script.run();
    CHECK(script.count(Fate::delivered) == 1'000);
    CHECK(largest(script, 0) <= 100);
  }
}

TEST_CASE("too large to be made is no word of the receiver's: the size that works stays") {
  MachineScript script(Role::main, settled_limits(), {1'000, 1'000}, [](const Sending& s) {
    Answer a = answer(Action::halve, Reason::too_large);
    a.bytes = 0;
    return s.items() > 600 && s.first == 0 ? a : stored();
  });
  script.local_refusals = true;
  script.run();
  CHECK(script.count(Fate::delivered) == 2'000);
  CHECK(script.machine.request_limits().units == 10'000);
}

TEST_CASE("a size that fails again and again is tried ever more rarely") {
  WorkingSize size({.units = 1'000, .raw_bytes = 1 << 20});
  std::uint64_t refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t units = size.units();
    if (units > 700) {
      size.unanswered(units);
      ++refused;
    } else {
      size.passed(units);
    }
  }
  CHECK(refused > 2);
  CHECK(refused < 200);
  CHECK(size.units() > 350);
}

TEST_CASE("a request without a sample that is never answered says nothing of how many samples are") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  life.transport.hangs = true;
  life.append("........");  // metadata
  life.clock.run_for(70s);
  REQUIRE(life.transport.requests >= 3);
  life.transport.hangs = false;
  life.clock.run_for(2min);
  REQUIRE(mgmt.stored == "........");
  const std::size_t before = life.transport.requests;
  life.append(std::string(1'000, 'a'));
  life.clock.run_for(1min);
  CHECK(life.transport.requests == before + 1);
}

TEST_CASE("requests far smaller than what is allowed are no reason to allow more") {
  WorkingSize size({.units = 1'000, .raw_bytes = 1 << 20});
  size.refused(1'000);
  for (int i = 0; i < 1'000; ++i) size.passed(10);
  CHECK(size.units() == 500);
  CHECK(size.limits().raw_bytes == (1 << 20) / 2);
}

}  // namespace
}  // namespace tideover::forward
