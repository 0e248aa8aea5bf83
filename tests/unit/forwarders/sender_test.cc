#include "forwarders/sender.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "forwarders/reject_record.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "tests/unit/forwarders/letters.h"
#include "wal/metrics.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;
using wal::Reason;

http::Response status(int code, std::string body = {}) { return {code, {}, std::move(body)}; }

// The receiver as the agent's lives see it: it outlives them.
struct Mgmt {
  std::string stored;
  std::function<std::optional<Result<http::Response>>(const std::string&)> refuses = [](const std::string&) {
    return std::nullopt;
  };

  Result<http::Response> take(const http::Request& request) {
    if (auto refused = refuses(request.body)) return *refused;
    stored += request.body;
    return status(204);
  }
};

// One life of a queue and its sender, in virtual time.
struct Life {
  // `doubts`: what is found at the start may have been sent before.
  explicit Life(wal::MemStore& disk, Mgmt& mgmt, SenderOptions options = {}, bool doubts = false)
      : store(disk), transport(clock, [&mgmt](const http::Request& r) { return mgmt.take(r); }) {
    bool opened = false;
    auto open = [this, &opened]() -> awaitable<void> {
      const Result<> result = co_await queue.open();
      opened = result.has_value();
    };
    boost::asio::co_spawn(io, open(), boost::asio::detached);
    clock.run_for(1s);
    REQUIRE(opened);
    options.name = "thanos";
    options.lane_name = "metrics";
    options.lane = queue.open_lane("metrics", {0, true});
    options.start = wal::StartAt::oldest;
    if (!doubts) options.machine.doubtful_batches = 0;
    options.on_change = [this](const StateChange& change) { changes.push_back(change.to); };
    lane = options.lane;
    sender = std::make_unique<Sender>(queue, destination, transport, clock, options);
    boost::asio::co_spawn(io, sender->run(), [this](std::exception_ptr) { ended = true; });
  }

  ~Life() {
    if (sender) sender->stop();
    auto stop = [this]() -> awaitable<void> { co_await queue.stop(); };
    boost::asio::co_spawn(io, stop(), boost::asio::detached);
    clock.run_for(1s);
    CHECK(ended);
  }

  void append(std::string_view letters) {
    bool appended = false;
    wal::NewRecord record = word(letters);
    auto task = [this, &appended](wal::NewRecord r) -> awaitable<void> {
      const Result<> result = co_await queue.append(lane, std::move(r));
      appended = result.has_value();
    };
    boost::asio::co_spawn(io, task(std::move(record)), boost::asio::detached);
    while (!appended) REQUIRE(clock.step(clock.now() + 10s));
    accepted += letters.size();
  }

  // The account over the three cursors: everything accepted is somewhere, once.
  void check_account() {
    const SenderStatus s = sender->status();
    std::uint64_t settled = s.main.behind.units + s.parked.behind.units + s.quarantine.behind.units;
    for (const wal::CursorUsage* usage : {&s.main, &s.parked, &s.quarantine})
      settled += usage->ledger.settled() - usage->ledger.diverted;
    CHECK(settled == s.main.accepted.units);
  }

  std::vector<RejectView> rejects() {
    const wal::CursorId cursor = queue.open_cursor(queue.open_lane("metrics/rejects/thanos", {0, false}),
                                                   "thanos", wal::Keep::best_effort, wal::StartAt::oldest);
    auto task = [this, cursor]() -> awaitable<void> {
      const auto batch = co_await queue.read(cursor, 1 << 20);
      REQUIRE(batch.has_value());
      dead_letters = batch->records;
    };
    boost::asio::co_spawn(io, task(), boost::asio::detached);
    clock.run_for(1s);
    std::vector<RejectView> views;
    for (const auto& record : dead_letters) {
      const auto view = read_reject(record.payload());
      REQUIRE(view.has_value());
      views.push_back(*view);
    }
    return views;
  }

  wal::MemStore& store;
  boost::asio::io_context io;
  sim::SimClock clock{io};
  sim::SimWorker writer{clock, [] { return Duration(1ms); }};
  sim::SimWorker reader{clock, [] { return Duration(1ms); }};
  wal::WalMetrics metrics;
  wal::Queue queue{store, writer, reader, clock, wal::WalLimits{}, metrics};
  WordDestination destination;
  WordTransport transport;
  std::unique_ptr<Sender> sender;
  LaneId lane;
  std::vector<State> changes;
  std::vector<wal::StoredRecord> dead_letters;
  std::uint64_t accepted = 0;
  bool ended = false;
};

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
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') == body.npos) return std::nullopt;
    return status(500, "panic");
  };
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
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find_first_of("xyz") == body.npos) return std::nullopt;
    return status(500, "panic");
  };
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
  CHECK(life.sender->status().downgraded);
  CHECK(life.sender->status().main.ledger.stripped == 6);
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
