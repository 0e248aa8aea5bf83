// The part that is answered 5xx again and again: told from an outage, and quarantined.
#include <algorithm>
#include <chrono>

#include "forwarders/sender_machine.h"
#include "tests/unit/forwarders/machine_script.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

TEST_CASE("an item that is answered 5xx for ever while others pass goes to quarantine, alone") {
  MachineScript script(Role::main, settled_limits(), {1'000, 1'000},
                       [](const Sending& s) { return s.holds(123) ? server_error() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.fates[123] == std::vector{Fate::quarantined});
  CHECK(script.count(Fate::delivered) == 1'999);
}

TEST_CASE("a batch that is answered 5xx as a whole while the next one passes goes to quarantine") {
  MachineScript script(Role::main, settled_limits(), {16, 1'000, 1'000},
                       [](const Sending& s) { return s.first < 16 ? server_error() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::quarantined) == 16);
  CHECK(script.count(Fate::delivered) == 2'000);
}

// Found by the simulator, seed 1001596: the half that had never been sent was taken for bad, since a piece of
// its twin passed in the end; and once the search was over it was parked unsent.
TEST_CASE("a half is not taken for bad because a piece of its twin passes") {
  MachineScript script(Role::main, settled_limits(), {16}, [](const Sending& s) {
    if (s.first == 0 && s.items() == 8) return server_error();
    return s.holds(0) ? answer(Action::bisect, wal::Reason::duplicate) : stored();
  });
  script.run();
  CHECK(script.count(Fate::delivered) == 15);
  const auto whole = [](const Sending& s) { return s.first == 8 && s.last == 16; };
  CHECK(std::count_if(script.sent.begin(), script.sent.end(), whole) == 1);
}

TEST_CASE("without room in quarantine a part that fails for ever is an outage") {
  MachineScript script(Role::main, settled_limits(), {100, 100}, [](const Sending& s) {
    return s.holds(12) && s.now < Time{1h} + 2h ? server_error() : stored();
  });
  script.machine.allow_quarantine(false);
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 200);
}

TEST_CASE("the quarantine lane asks now and then, and gives every part its turn") {
  MachineScript script(Role::quarantine, settled_limits(), {1, 1},
                       [](const Sending& s) { return s.first == 0 ? server_error() : stored(); });
  script.run();
  CHECK(script.fates[0] == std::vector{Fate::quarantined});  // to the end of its own lane
  CHECK(script.fates[1] == std::vector{Fate::delivered});
  REQUIRE(!script.sleeps.empty());
  CHECK(script.sleeps[0] == 5min);
}

}  // namespace
}  // namespace tideover::forward
