// What a sender sets aside: parked by the receiver's window, quarantined after failures that are its own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>

#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

using wal::Reason;

auto panics_at(std::string letters) {
  return [letters = std::move(letters)](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find_first_of(letters) == body.npos) return std::nullopt;
    return status(500, "panic");
  };
}

TEST_CASE("what the window refuses is parked while fresh data flows, and arrives once the window opens") {
  wal::MemStore disk;
  Mgmt mgmt;
  const auto window = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find_first_of("ABC") == body.npos) return std::nullopt;
    return status(400, "window");
  };
  mgmt.refuses = window;
  Life life(disk, mgmt);
  life.append("ABC");
  life.append("def");
  life.clock.run_for(10min);
  life.append("ghi");
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "defghi");
  CHECK(life.sender->status().parked.behind.units == 3);
  CHECK(life.sender->status().main.behind.units == 0);
  life.check_account();

  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  if (GENERATE(true, false)) {
    life.sender->retry_now();
    life.clock.run_for(1s);
  } else {
    life.clock.run_for(61s);
  }
  CHECK(mgmt.stored == "defghiABC");
  CHECK(life.sender->status().parked.behind.units == 0);
  life.check_account();
}

TEST_CASE("parked data beyond its share loses its oldest, counted") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(400, "window"); };
  SenderOptions options;
  options.parked_bytes_max = 2'000;
  Life life(disk, mgmt, options);
  for (int i = 0; i < 100; ++i) {
    life.append("A");
    life.clock.run_for(10s);
  }
  const SenderStatus s = life.sender->status();
  CHECK(s.parked.ledger.lost[static_cast<std::size_t>(Reason::budget)] > 50);
  CHECK(s.parked.behind.bytes <= 2'000);
  life.check_account();
}

TEST_CASE("a letter that is answered 500 for ever is quarantined, and arrives when it is taken at last") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = panics_at("x");
  Life life(disk, mgmt);
  life.append("abxcd");
  life.append("efg");
  life.clock.run_for(30min);
  CHECK(mgmt.stored == "abcdefg");
  CHECK(life.sender->status().quarantine.behind.units == 1);
  life.check_account();
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(6min);
  CHECK(mgmt.stored == "abcdefgx");
  CHECK(life.sender->status().quarantine.behind.units == 0);
  life.check_account();
}

// Found by the simulator (seed 5151): the last thing that the main lane had heard were failures, and with
// nothing left in it nobody asked the receiver any more.
TEST_CASE("what is delivered while a part stands still is accounted for as what is delivered in its turn") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [&mgmt](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') != body.npos) return status(500);
    mgmt.stored += body;
    return status(202);  // and does not say that it stored anything
  };
  Life life(disk, mgmt);
  life.append("x");
  life.clock.run_for(1s);
  life.append("efgh");
  life.clock.run_for(1h);
  CHECK(mgmt.stored == "efgh");
  CHECK(life.sender->status().quarantine.behind.units == 1);
  CHECK(life.sender->status().main.ledger.delivered == 4);
  CHECK(life.sender->status().main.ledger.under_reported == 4);
  life.check_account();
}

TEST_CASE("a receiver that failed to the last, with all of it in quarantine, is asked for what is there") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = panics_at("xy");
  Life life(disk, mgmt);
  life.append("axy");
  life.clock.run_for(30min);
  REQUIRE(mgmt.stored == "a");
  REQUIRE(life.sender->status().main.behind.units == 0);
  REQUIRE(life.sender->status().quarantine.behind.units == 2);
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(6min);
  CHECK(mgmt.stored.size() == 3);
  CHECK(life.sender->status().quarantine.behind.units == 0);
  CHECK(life.sender->status().state == State::up);
  life.check_account();
}

// A receiver without out-of-order window drops what is out of order inside one request, and answers 200.
// Found by the simulator (seed 910360).
TEST_CASE("what was overtaken shares a request with nothing that may be newer") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find_first_of("xy") != body.npos) return status(500, "panic");
    if (body.find('w') != body.npos) return status(400, "window");
    return std::nullopt;
  };
  Life life(disk, mgmt);
  life.append("axbyc");
  life.append("wv");
  life.clock.run_for(30min);
  CHECK(mgmt.stored == "abcv");
  CHECK(life.sender->status().quarantine.behind.units == 2);

  SECTION("neither in quarantine") {}
  SECTION("nor parked behind what was never in quarantine") {
    mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
      if (body.find_first_of("xyw") == body.npos) return std::nullopt;
      return status(400, body.find('w') == body.npos ? "order" : "window");
    };
    life.clock.run_for(10min);
    CHECK(life.sender->status().quarantine.behind.units == 0);
    CHECK(life.sender->status().parked.behind.units == 3);
  }
  std::vector<std::string> bodies;
  mgmt.refuses = [&bodies](const std::string& body) -> std::optional<Result<http::Response>> {
    bodies.push_back(body);
    return std::nullopt;
  };
  life.clock.run_for(10min);
  std::sort(bodies.begin(), bodies.end());
  CHECK(bodies == std::vector<std::string>{"w", "x", "y"});
  life.check_account();
}

TEST_CASE("a word that is answered 500 as a whole does not stop the ones behind it, and those arrive once") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = panics_at("xyz");
  SenderOptions options;
  options.machine.request.units = 4;  // a word is a batch
  Life life(disk, mgmt, options);
  life.append("xyz");
  life.append("abc");
  life.append("def");
  life.clock.run_for(2h);
  CHECK(mgmt.stored == "abcdef");
  CHECK(life.sender->status().quarantine.behind.units == 3);
  life.check_account();
}

// A receiver without an out-of-order window: 'b' panics it until the agent has died; what is behind it
// passes. The agent dies after that, before its disk has taken another word.
TEST_CASE("a crash after an item was overtaken does not turn its refusal for order into a proof of arrival") {
  wal::MemStore disk;
  Mgmt mgmt;
  bool panics = true;
  mgmt.refuses = [&](const std::string& body) -> std::optional<Result<http::Response>> {
    if (panics && body.find('b') != body.npos) return status(500, "panic");
    if (body.find('c') != body.npos) disk.fail_commits_until_healed(Errc::io_error);
    const char newest = mgmt.stored.empty() ? '\0' : mgmt.stored.back();
    for (const char letter : body)
      if (letter < newest && mgmt.stored.find(letter) == mgmt.stored.npos) return status(400, "order");
    if (mgmt.stored.find(body) != mgmt.stored.npos) return status(204);  // the same again does no harm
    return std::nullopt;
  };
  SenderOptions options;
  options.machine.request.units = 2;  // a word is a batch
  {
    Life life(disk, mgmt, options);
    life.append("a");
    life.append("b");
    life.append("cd");
    for (int minutes = 0; mgmt.stored != "acd"; ++minutes) {
      REQUIRE(minutes < 60);
      life.clock.run_for(1min);
    }
  }
  panics = false;
  disk.heal();
  mgmt.refuses = [inner = mgmt.refuses, &disk](const std::string& body) {
    auto refused = inner(body);
    disk.heal();
    return refused;
  };
  Life life(disk, mgmt, options, true);
  life.clock.run_for(10s);
  const SenderStatus s = life.sender->status();
  CHECK(s.main.ledger.probable_duplicates == 0);
  CHECK(s.main.behind.units == 0);
  CHECK(s.parked.behind.units == 1);  // 'b': kept, and shown
  life.accepted = 4;
  life.check_account();
}

}  // namespace
}  // namespace tideover::forward
