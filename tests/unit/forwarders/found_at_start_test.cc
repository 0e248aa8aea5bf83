// What a sender finds at its start: an old backlog is replayed gently, what came a moment ago is not held
// back, and what an earlier life may have sent is in doubt.
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

void append_at(Life& life, std::string_view letters, WallTime arrival) {
  wal::NewRecord record = word(letters);
  record.attributes.arrival_ms = to_unix_ms(arrival);
  bool appended = false;
  auto task = [](Life& l, wal::NewRecord r, bool& done) -> awaitable<void> {
    const Result<> result = co_await l.queue.append(l.lane, std::move(r));
    done = result.has_value();
  };
  boost::asio::co_spawn(life.io, task(life, std::move(record), appended), boost::asio::detached);
  while (!appended) REQUIRE(life.clock.step(life.clock.now() + 10s));
}

TEST_CASE(
    "a backlog that is old at the start is replayed at a pace, and one of a moment ago is not held back") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(503, "not ready"); };
  const auto age = GENERATE(Duration(10min), Duration(5s));
  {
    Life life(disk, mgmt);
    append_at(life, "abc", life.clock.wall_now() - std::chrono::duration_cast<WallTime::duration>(age));
    life.clock.run_for(100ms);
  }
  // The world's clock begins anew with each life: the age is that of the record's arrival.
  Life life(disk, mgmt);
  life.transport.hangs = true;  // no answer says anything
  life.clock.run_for(100ms);
  CHECK((life.sender->status().bytes_per_second_max > 0) == (age > 30s));
}

TEST_CASE("what is found at a start may have been sent, what comes afterwards has not") {
  wal::MemStore disk;
  Mgmt mgmt;
  {
    Life life(disk, mgmt);
    mgmt.refuses = [](const std::string&) { return status(503, "not ready"); };
    life.append("a");
    life.clock.run_for(100ms);
  }
  mgmt.refuses = [](const std::string&) { return status(400, "order"); };
  Life life(disk, mgmt, {}, true);
  life.clock.run_for(10s);
  CHECK(life.sender->status().main.ledger.probable_duplicates == 1);
  life.append("b");
  life.clock.run_for(10s);
  const wal::Ledger ledger = life.sender->status().main.ledger;
  CHECK(ledger.probable_duplicates == 1);
  CHECK(ledger.lost[static_cast<std::size_t>(wal::Reason::out_of_order)] == 1);
}

TEST_CASE("a sender says since when it is in its state, and not since when it lives") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt);
  const WallTime born = life.sender->status().since;
  life.append("a");
  life.clock.run_for(1h);
  CHECK(life.sender->status().since == born);
  CHECK(life.sender->status().state == State::up);
  mgmt.refuses = [](const std::string&) { return status(503, "not ready"); };
  const WallTime left = life.clock.wall_now();
  life.append("b");
  life.clock.run_for(1h);
  CHECK(life.sender->status().state == State::down);
  CHECK(life.sender->status().since >= left);
  CHECK(life.sender->status().since < left + 1min);
}

}  // namespace
}  // namespace tideover::forward
