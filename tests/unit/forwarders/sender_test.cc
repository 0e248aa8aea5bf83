#include "forwarders/sender.h"

#include <catch2/catch.hpp>

#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

using wal::Reason;

TEST_CASE("what is appended arrives, in order, and what waits is merged") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  life.append("abc");
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "abc");
  life.transport.hangs = true;
  life.append("d");
  life.clock.run_for(100ms);
  for (const char* letters : {"e", "f", "g"}) life.append(letters);
  life.transport.hangs = false;
  life.clock.run_for(60s);
  CHECK(mgmt.stored == "abcdefg");
  CHECK(life.transport.requests == 3);  // abc; d, answered late; what came meanwhile
  CHECK(life.sender->status().main.ledger.delivered == 7);
  life.check_account();
}

TEST_CASE("what comes within a moment after a lull goes out in one request") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  for (const char* letters : {"a", "b", "c"}) life.append(letters);
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "abc");
  CHECK(life.transport.requests == 1);
}

TEST_CASE("an outage delays, reports itself, and loses nothing") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  mgmt.refuses = [](const std::string&) { return fail(Errc::connect_failed, "connection refused"); };
  for (int i = 0; i < 26; ++i) life.append(std::string(1, static_cast<char>('a' + i)));
  life.clock.run_for(10min);
  CHECK(life.sender->status().state == State::down);
  CHECK(life.sender->status().last_error == "connect failed: connection refused");
  CHECK(life.sender->status().main.behind.units == 26);
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(1min);
  CHECK(mgmt.stored == "abcdefghijklmnopqrstuvwxyz");
  CHECK(life.changes == std::vector{State::down, State::replaying, State::up});
  CHECK(life.sender->status().requests.at("network") > 10);
  life.check_account();
}

TEST_CASE("the bad letter is buried with its reason, the rest arrives") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') == body.npos) return std::nullopt;
    return status(400, "no x");
  };
  Life life(disk, mgmt);
  life.append("abcdefxghi");
  life.append("jkl");
  life.clock.run_for(10s);
  CHECK(mgmt.stored == "abcdefghijkl");
  CHECK(life.sender->status().main.ledger.lost[static_cast<std::size_t>(Reason::bad_request)] == 1);
  const auto rejects = life.rejects();
  REQUIRE(rejects.size() == 1);
  CHECK(rejects[0].note.reason == wal::to_string(Reason::bad_request));
  CHECK(rejects[0].note.sentence == "HTTP 400: no x");
  CHECK(rejects[0].note.destination == "thanos");
  CHECK(rejects[0].note.item == "x");
  CHECK(rejects[0].message == "x");
  CHECK(life.sender->status().rejects.records == 1);
  life.check_account();
}

TEST_CASE("a loss that the receiver counted is taken from what was delivered, and the request is kept") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(409, "one is a duplicate"); };
  Life life(disk, mgmt);
  life.append("abc");
  life.clock.run_for(1s);
  const SenderStatus s = life.sender->status();
  CHECK(s.main.ledger.delivered == 2);
  CHECK(s.main.ledger.lost[static_cast<std::size_t>(Reason::duplicate)] == 1);
  REQUIRE(life.rejects().size() == 1);
  CHECK(life.rejects()[0].message == "abc");
  life.check_account();
}

TEST_CASE("a receiver of the older version gets it, and what that cannot carry is counted") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  bool asked = false;
  mgmt.refuses = [&asked](const std::string&) -> std::optional<Result<http::Response>> {
    if (std::exchange(asked, true)) return std::nullopt;
    return status(415);
  };
  life.append("abc");
  life.append("def");
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "abcdef");
  CHECK(life.sender->status().main.ledger.stripped == 6);
  life.check_account();
}

TEST_CASE("what one lane has learned of the receiver, the others know") {
  wal::MemStore disk;
  Mgmt mgmt;
  bool asked = false;
  mgmt.refuses = [&asked](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('w') != body.npos) return status(400, "window");
    if (!std::exchange(asked, true)) return status(415);
    return std::nullopt;
  };
  Life life(disk, mgmt);
  life.append("w");
  life.append("abc");
  life.clock.run_for(10s);
  REQUIRE(life.sender->status().parked.behind.units == 1);
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(2min);
  CHECK(mgmt.stored == "abcw");
  CHECK(life.sender->status().parked.ledger.stripped == 1);
  life.check_account();
}

TEST_CASE("what the receiver does not say it wrote is counted, and part of what was delivered") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(202); };
  Life life(disk, mgmt);
  life.append("abc");
  life.clock.run_for(1s);
  CHECK(life.sender->status().main.ledger.delivered == 3);
  CHECK(life.sender->status().main.ledger.under_reported == 3);
}

TEST_CASE("a damaged record is skipped and counted, its neighbours arrive") {
  wal::MemStore disk;
  Mgmt mgmt;
  {
    Life life(disk, mgmt);
    life.transport.hangs = true;
    for (const char* letters : {"abc", "de", "fgh"}) life.append(letters);
    CHECK(disk.damage(life.lane, Seq{2}));
  }
  Life life(disk, mgmt);
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "abcfgh");
  CHECK(life.sender->status().main.ledger.lost[static_cast<std::size_t>(Reason::damaged)] == 2);
  life.check_account();
}

TEST_CASE("stop waits half a second for a request that hangs, and the next life sends it again") {
  wal::MemStore disk;
  Mgmt mgmt;
  {
    Life life(disk, mgmt);
    life.transport.hangs = true;
    life.append("abc");
    life.clock.run_for(1s);
    CHECK(life.sender->status().in_flight_bytes == 3);
    life.sender->stop();
    life.clock.run_for(400ms);
    CHECK_FALSE(life.ended);
    life.clock.run_for(200ms);
    CHECK(life.ended);
  }
  Life life(disk, mgmt);
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "abc");
}

TEST_CASE("a sender that has ended by itself may be stopped, and leaves nothing behind") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  life.append("abc");
  life.clock.run_for(1s);
  for (const char* lane : {"metrics", "metrics/parked/thanos", "metrics/quarantine/thanos"}) {
    CHECK(life.queue.drop_cursor(life.queue.open_lane(lane, {0, true}), "thanos").has_value());
  }
  life.clock.run_for(2min);  // each lane looks now and then
  REQUIRE(life.ended);
  life.sender->stop();
  life.sender.reset();
  life.clock.run_for(1s);
}

TEST_CASE("what is answered while the sender stops is not sent again by the next life") {
  wal::MemStore disk;
  Mgmt mgmt;
  {
    Life life(disk, mgmt);
    life.append("abc");
    while (life.sender->status().in_flight_bytes == 0) REQUIRE(life.clock.step(life.clock.now() + 1s));
    life.sender->stop();
    life.clock.run_for(100ms);
    CHECK(life.ended);
  }
  Life life(disk, mgmt);
  life.append("def");
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "abcdef");
}

TEST_CASE("a power cut at any moment loses nothing; what is sent twice is the newest") {
  const auto moment = std::chrono::milliseconds(GENERATE(range(0, 40, 1)));
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') == body.npos) return std::nullopt;
    return status(400, "no x");
  };
  {
    Life life(disk, mgmt);
    for (const char* letters : {"abcd", "efxg", "hijk"}) life.append(letters);
    life.clock.run_for(moment);
    disk.crash();
  }
  Life life(disk, mgmt);
  life.clock.run_for(10s);
  for (const char letter : std::string("abcdefghijk")) {
    INFO(mgmt.stored << " holds " << letter);
    CHECK(mgmt.stored.find(letter) != mgmt.stored.npos);
  }
  CHECK(mgmt.stored.find('x') == mgmt.stored.npos);
  CHECK(life.sender->status().main.ledger.lost[static_cast<std::size_t>(Reason::bad_request)] == 1);
  CHECK(life.sender->status().rejects.records == 1);
  CHECK(life.sender->status().main.behind.units == 0);
  life.check_account();
}

TEST_CASE("a store in a fault stops nothing for good") {
  wal::MemStore disk;
  Mgmt mgmt;
  {
    Life life(disk, mgmt);
    life.transport.hangs = true;
    life.append("abc");
  }
  Life life(disk, mgmt);
  disk.fail_next_read(Errc::io_error);
  life.clock.run_for(10s);
  CHECK(mgmt.stored == "abc");
  life.check_account();
}

}  // namespace
}  // namespace tideover::forward
