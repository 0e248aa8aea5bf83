// What becomes of a batch in flight when its lane loses its oldest meanwhile, to keep a budget.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

using wal::Reason;

const auto takes_all = [](const std::string&) -> std::optional<Result<http::Response>> {
  return std::nullopt;
};

SenderOptions best_effort(std::uint64_t units) {
  SenderOptions options;
  options.keep = wal::Keep::best_effort;
  options.machine.request.units = units;
  return options;
}

// 'a' stands still, so that what is behind it is looked for time and again; by then it is not in the queue
// any more, and the disk has a bad moment.
TEST_CASE("a batch that was dropped in flight stays dropped when the next look behind it fails") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(500, "panic"); };
  Life life(disk, mgmt, best_effort(10'000));
  life.append("a");
  life.clock.run_for(1s);
  for (int i = 0; i < 10; ++i) life.append(std::string(1'000'000, 'b'));  // more than is kept in memory
  life.queue.open_lane("metrics", {9'500'000, true});
  life.clock.run_for(1min);
  REQUIRE(life.sender->status().main.behind.units == 9'000'000);
  disk.fail_next_read(Errc::io_error);
  life.clock.run_for(10min);
  mgmt.refuses = takes_all;
  life.clock.run_for(2h);
  CHECK(life.sender->status().main.behind.units == 0);
  life.check_account();
}

TEST_CASE("what is left of a batch that was dropped in flight is in doubt when it is sent again") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(429, "slowly"); };
  Life life(disk, mgmt, best_effort(1'000'000));
  life.append(std::string(140'000, 'a'));
  life.append(std::string(140'000, 'b'));
  life.append("x");
  life.clock.run_for(1min);
  life.queue.open_lane("metrics", {1'000, true});
  life.clock.run_for(3s);
  REQUIRE(life.sender->status().main.behind.units == 1);
  mgmt.refuses = [&mgmt](const std::string& body) -> std::optional<Result<http::Response>> {
    if (mgmt.stored.find(body) == std::string::npos) return std::nullopt;
    return status(400, "order");
  };
  life.clock.run_for(5min);
  const wal::Ledger ledger = life.sender->status().main.ledger;
  CHECK(ledger.probable_duplicates == 1);
  CHECK(ledger.lost[static_cast<std::size_t>(Reason::out_of_order)] == 0);
  CHECK(life.rejects().empty());
  life.check_account();
}

// The largest piece of 'a' is dropped when its turn in the round is over but for the answer: then 'b' is the
// first to be put back behind 'c', which is newer.
TEST_CASE("what is put back behind newer data begins a run also when the record before it was dropped") {
  wal::MemStore disk;
  Mgmt mgmt;
  SenderOptions options;
  options.parked_bytes_max = 557'000;
  bool reversed = false;
  std::size_t last = 0;
  mgmt.refuses = [&](const std::string& body) -> std::optional<Result<http::Response>> {
    reversed = reversed || !std::is_sorted(body.begin(), body.end());
    last = body.size();
    return status(400, "window");
  };
  Life life(disk, mgmt, options);
  life.append(std::string(540'000, 'a'));
  life.clock.run_for(30s);
  life.append(std::string(9'999, 'b'));
  life.clock.run_for(20s);
  REQUIRE(life.sender->status().parked.behind.units == 549'999);
  last = 0;
  const auto sent_last = [&last] { return last; };  // the receiver changes it
  while (sent_last() != 270'000) REQUIRE(life.clock.step(Time{1h}));
  life.append(std::string(9'000, 'c'));
  life.clock.run_for(10s);
  REQUIRE(life.sender->status().parked.ledger.lost[static_cast<std::size_t>(Reason::budget)] == 270'000);
  life.clock.run_for(3h);
  CHECK_FALSE(reversed);
  life.check_account();
}

}  // namespace
}  // namespace tideover::forward
