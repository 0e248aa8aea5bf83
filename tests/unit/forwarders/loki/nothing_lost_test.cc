// Lines go through a queue and a sender into the strict model of Loki, which refuses in silence as Loki does.
// Whatever it refuses, and however often it fails, every line is in it in the end, or counted as rejected.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "forwarders/loki/loki_destination.h"
#include "forwarders/remote_write/snappy.h"
#include "forwarders/sender.h"
#include "tests/support/loki_model.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "tests/unit/forwarders/letters.h"
#include "tests/unit/forwarders/loki/log_records.h"
#include "wal/base/rng.h"
#include "wal/metrics.h"

namespace tideover::test {
namespace {

using namespace std::chrono_literals;

// Loki, and a line to it that fails now and then.
struct FarEnd {
  explicit FarEnd(std::uint64_t seed) : rng(seed) {}

  Result<http::Response> take(const http::Request& request, std::int64_t now_ns) {
    ++requests;
    if (away) return fail(Errc::connect_failed, "away");
    if (trouble && rng.chance(0.05)) return http::Response{503, {}, "busy"};
    std::string raw;
    REQUIRE(remote_write::decompress(request.body, 32 << 20, raw).has_value());
    const auto push = pushed_as_generated_code_reads(raw);
    REQUIRE(push.has_value());
    if (std::any_of(push->begin(), push->end(), [this](const LokiStream& s) { return s.labels == poison; }))
      return http::Response{500, {}, "poison"};
    if (trouble && rng.chance(0.02)) loki.restart();
    http::Response answer = loki.push("fake", *push, now_ns);
    if (trouble && rng.chance(0.05)) return fail(Errc::timeout, "no answer");
    return answer;
  }

  LokiModel loki;
  Rng rng;
  std::size_t requests = 0;
  bool away = false;
  bool trouble = false;
  std::string poison;  // a stream: what holds it is answered 500
};

struct LogLife {
  LogLife(wal::MemStore& disk, FarEnd& far_end, std::uint64_t seed)
      : store(disk),
        transport(clock, [this, &far_end](const http::Request& r) { return far_end.take(r, now_ns()); }) {
    auto open = [this]() -> awaitable<void> {
      const Result<> result = co_await queue.open();
      REQUIRE(result.has_value());
    };
    boost::asio::co_spawn(io, open(), boost::asio::detached);
    clock.run_for(1s);
    forward::SenderOptions options;
    options.name = "loki";
    options.lane_name = "logs";
    options.lane = lane = queue.open_lane("logs", {0, true});
    options.start = wal::StartAt::oldest;
    options.seed = seed;
    sender = std::make_unique<forward::Sender>(queue, destination, transport, clock, options);
    boost::asio::co_spawn(io, sender->run(), [this](std::exception_ptr) { ended = true; });
  }
  ~LogLife() {
    sender->stop();
    auto stop = [this]() -> awaitable<void> { co_await queue.stop(); };
    boost::asio::co_spawn(io, stop(), boost::asio::detached);
    clock.run_for(1s);
    CHECK(ended);
  }

  std::int64_t now_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.wall_now().time_since_epoch()).count();
  }

  void append(const LokiPush& push) {
    bool appended = false;
    auto task = [this, &appended](wal::NewRecord r) -> awaitable<void> {
      const Result<> result = co_await queue.append(lane, std::move(r));
      appended = result.has_value();
    };
    boost::asio::co_spawn(io, task(new_record_of(push)), boost::asio::detached);
    while (!appended) REQUIRE(clock.step(clock.now() + 10s));
  }

  std::uint64_t behind() const { return sender->status().main.behind.units; }
  void drain() {
    for (int hours = 0; hours < 48 && behind() > 0; ++hours) clock.run_for(1h);
    REQUIRE(behind() == 0);
  }

  wal::MemStore& store;
  boost::asio::io_context io;
  sim::SimClock clock{io};
  sim::SimWorker writer{clock, [] { return Duration(1ms); }};
  sim::SimWorker reader{clock, [] { return Duration(1ms); }};
  wal::WalMetrics metrics;
  wal::Queue queue{store, writer, reader, clock, wal::WalLimits{}, metrics};
  loki::LokiDestination destination{{}};
  forward::WordTransport transport;
  std::unique_ptr<forward::Sender> sender;
  LaneId lane;
  bool ended = false;
};

using Line = std::pair<std::int64_t, std::string>;
using Streams = std::map<std::string, std::vector<Line>>;  // by the value of app

std::string app_of(const std::string& labels) {
  const auto pairs = loki_labels_of(labels);
  REQUIRE(pairs.has_value());
  for (const auto& [name, value] : *pairs)
    if (name == "app") return value;
  return {};
}

struct Found {
  std::uint64_t missing = 0;
  std::uint64_t repeated = 0;
  std::uint64_t strange = 0;
};

Found compare(const Streams& written, const LokiModel& loki) {
  std::map<std::string, std::multiset<Line>> stored;
  for (const LokiLine& line : loki.lines())
    stored[app_of(line.labels)].insert({line.entry.ns, line.entry.line});
  Found found;
  for (const auto& [app, lines] : written) {
    auto& there = stored[app];
    for (const Line& line : lines) {
      const std::size_t times = there.count(line);
      if (times == 0) ++found.missing;
      if (times > 1) found.repeated += times - 1;
      there.erase(line);
    }
    found.strange += there.size();
  }
  return found;
}

// What is written in a world: streams that come, rest, and come back, each in its order.
struct Writers {
  explicit Writers(std::uint64_t seed) : rng(seed) {}

  void write(LogLife& life, std::size_t streams_max) {
    LokiPush push;
    std::map<std::string, std::size_t> place;
    for (std::uint64_t n = 1 + rng.below(12); n > 0; --n) {
      const std::string app = std::to_string(rng.below(streams_max));
      if (place.try_emplace(app, push.size()).second) push.push_back({"{app=\"" + app + "\"}", {}});
      LokiStream& stream = push[place[app]];
      const Line line{life.now_ns() + static_cast<std::int64_t>(written), std::to_string(written)};
      ++written;
      stream.entries.push_back({line.first, line.second});
      if (rng.chance(0.2)) stream.entries.back().metadata.emplace_back("trace", line.second);
      streams[app].push_back(line);
    }
    life.append(push);
  }

  Rng rng;
  Streams streams;
  std::uint64_t written = 0;
};

void check_nothing_lost(const FarEnd& far_end, const Writers& writers) {
  CHECK(far_end.loki.discards().all_silent() == 0);
  const Found found = compare(writers.streams, far_end.loki);
  CHECK(found.missing == 0);
  CHECK(found.strange == 0);
}

TEST_CASE("a receiver that refuses in silence loses no line of a world in trouble") {
  const auto seed = GENERATE(range(1u, 61u));
  CAPTURE(seed);
  wal::MemStore disk;
  FarEnd far_end(seed);
  LokiLimits limits;
  limits.ingesters = 1 + seed % 3;
  far_end.loki.set_limits(limits);
  LogLife life(disk, far_end, seed);
  Writers writers(seed * 7);
  Rng rng(seed * 13);
  far_end.trouble = true;
  for (int step = 0; step < 60; ++step) {
    // Outages of hours, so that what waits is older than what an ingester takes out of order.
    if (rng.chance(0.08)) far_end.away = true;
    if (far_end.away && rng.chance(0.3)) far_end.away = false;
    writers.write(life, 30);
    life.clock.run_for(far_end.away ? Duration(20min) : Duration(std::chrono::seconds(rng.below(90))));
  }
  far_end.away = false;
  far_end.trouble = false;
  life.drain();
  check_nothing_lost(far_end, writers);
  const wal::Ledger ledger = life.sender->status().main.ledger;
  CHECK(ledger.settled() == ledger.delivered);
  CHECK(ledger.delivered == writers.written);
}

TEST_CASE("a limit on streams that is lifted later loses nothing of those that were refused in the middle") {
  const auto seed = GENERATE(range(1u, 31u));
  CAPTURE(seed);
  wal::MemStore disk;
  FarEnd far_end(seed);
  LokiLimits limits;
  limits.max_global_streams_per_user = 5;
  far_end.loki.set_limits(limits);
  LogLife life(disk, far_end, seed);
  Writers writers(seed * 7);
  for (int step = 0; step < 30; ++step) {
    writers.write(life, 12);
    life.clock.run_for(1s);
  }
  limits.max_global_streams_per_user = 5000;
  far_end.loki.set_limits(limits);
  life.drain();
  check_nothing_lost(far_end, writers);
}

TEST_CASE("an ingester that comes back without its streams, and takes fewer of them, loses nothing") {
  const auto seed = GENERATE(range(1u, 31u));
  CAPTURE(seed);
  wal::MemStore disk;
  FarEnd far_end(seed);
  LogLife life(disk, far_end, seed);
  Writers writers(seed * 7);
  const auto write_for = [&](int seconds) {
    for (; seconds > 0; --seconds) {
      writers.write(life, 12);
      life.clock.run_for(1s);
    }
  };
  write_for(60);  // all are well known by now
  far_end.away = true;
  far_end.loki.restart();
  LokiLimits limits;
  limits.max_global_streams_per_user = 4;
  far_end.loki.set_limits(limits);
  write_for(5);
  far_end.away = false;
  write_for(30);
  limits.max_global_streams_per_user = 5000;
  far_end.loki.set_limits(limits);
  life.drain();
  check_nothing_lost(far_end, writers);
}

TEST_CASE("a stream that is answered 500 for hours is waited for, and nothing of it is overtaken") {
  const auto seed = GENERATE(range(1u, 11u));
  CAPTURE(seed);
  wal::MemStore disk;
  FarEnd far_end(seed);
  LogLife life(disk, far_end, seed);
  Writers writers(seed * 7);
  far_end.poison = "{app=\"0\"}";
  for (int step = 0; step < 40; ++step) {
    writers.write(life, 3);
    life.clock.run_for(5min);
  }
  far_end.poison.clear();
  life.drain();
  check_nothing_lost(far_end, writers);
  const wal::Ledger ledger = life.sender->status().main.ledger;
  CHECK(ledger.delivered == writers.written);
}

TEST_CASE("tiny rates are waited for, and lose nothing") {
  const auto seed = GENERATE(range(1u, 21u));
  CAPTURE(seed);
  wal::MemStore disk;
  FarEnd far_end(seed);
  LokiLimits limits;
  limits.ingestion_rate = 20;
  limits.ingestion_burst = 100;
  limits.per_stream_rate_limit = 10;
  limits.per_stream_rate_limit_burst = 40;
  far_end.loki.set_limits(limits);
  LogLife life(disk, far_end, seed);
  Writers writers(seed * 7);
  for (int step = 0; step < 30; ++step) {
    writers.write(life, 8);
    life.clock.run_for(1s);
  }
  life.drain();
  check_nothing_lost(far_end, writers);
}

TEST_CASE("at rest one push a second is enough for a hundred streams") {
  wal::MemStore disk;
  FarEnd far_end(1);
  LogLife life(disk, far_end, 1);
  std::uint64_t line = 0;
  const auto second = [&] {
    LokiPush push;
    for (int app = 0; app < 100; ++app)
      push.push_back({"{app=\"" + std::to_string(app) + "\"}", {{life.now_ns(), std::to_string(line++)}}});
    life.append(push);
    life.clock.run_for(1s);
  };
  second();
  CHECK(far_end.requests == 100);  // each is proven once
  far_end.requests = 0;
  for (int i = 0; i < 1800; ++i) second();
  CHECK(far_end.requests <= 1800);
  CHECK(far_end.loki.discards().all_silent() == 0);
}

}  // namespace
}  // namespace tideover::test
