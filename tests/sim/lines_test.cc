// Replays over lines of every kind: what a line carries is used, and what comes in anew is soon there.
//
// The production sender and queue between a disk in memory and a receiver that takes everything. Records are
// words, so that a request weighs on the line what a test wants it to weigh.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <deque>
#include <memory>

#include "forwarders/sender.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_network.h"
#include "tests/support/sim_worker.h"
#include "tests/unit/forwarders/letters.h"
#include "wal/metrics.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRequestBytes = 300'000;  // ten thousand samples, more or less
constexpr std::uint64_t kScrapeBytes = 20'000;    // what is sent while nothing waits

struct Line {
  const char* name;
  double bits_per_s;
  Duration round_trip;
  double loss;
};

class Node {
 public:
  explicit Node(const Line& line, double inflow_bytes_per_s, std::uint64_t request_bytes = kRequestBytes)
      : inflow_(inflow_bytes_per_s),
        every_(std::chrono::duration_cast<Duration>(
            std::chrono::duration<double>(kScrapeBytes / inflow_bytes_per_s))) {
    network_.set_weather({.latency = Duration{}});
    network_.set_line({line.bits_per_s / 8, line.round_trip, line.loss});
    auto open = [this]() -> awaitable<void> {
      const Result<> opened = co_await queue_.open();
      REQUIRE(opened.has_value());
    };
    boost::asio::co_spawn(io_, open(), boost::asio::detached);
    clock_.run_for(1s);
    forward::SenderOptions options;
    options.name = "thanos";
    options.lane_name = "metrics";
    options.lane = lane_ = queue_.open_lane("metrics", {0, true});
    options.start = wal::StartAt::oldest;
    options.machine.request.units = request_bytes;
    sender_ = std::make_unique<forward::Sender>(queue_, destination_, transport_, clock_, std::move(options));
    boost::asio::co_spawn(io_, sender_->run(), boost::asio::detached);
    scrape();
  }

  ~Node() {
    scraping_ = false;
    sender_->stop();
    auto stop = [this]() -> awaitable<void> { co_await queue_.stop(); };
    boost::asio::co_spawn(io_, stop(), boost::asio::detached);
    clock_.run_for(1min);
  }

  void live_for(Duration span) { clock_.run_for(span); }
  void outage_for(Duration span) {
    network_.set_link(Link::refusing);
    clock_.run_for(span);
    network_.set_link(Link::up);
  }

  // Until no more waits than came in so many seconds. False when that takes longer than `bound`.
  bool drain_to(double seconds, Duration bound) {
    const Time end = clock_.now() + bound;
    while (static_cast<double>(behind()) > seconds * inflow_ && clock_.now() < end) clock_.run_for(100ms);
    return clock_.now() < end;
  }

  std::uint64_t behind() const { return sender_->status().main.behind.units; }
  Duration latest() const { return latest_; }
  Duration longest() const { return network_.line().longest(); }
  void forget_latest() { latest_ = {}; }

  // The time that the line needed, for the bytes and for one round trip per request: the shortest in which
  // one request after the other can cross it.
  Duration needed(const Line& line) const {
    return network_.line().busy() + line.round_trip * static_cast<std::int64_t>(taken_);
  }
  Time now() const { return clock_.now(); }

  std::function<int()> status = [] { return 204; };  // of the next answer

 private:
  http::Response take(const http::Request& request) {
    const int code = status();
    if (code == 204) {
      received_ += request.body.size();
      ++taken_;
      while (!arrivals_.empty() && arrivals_.front().upto <= received_) {
        latest_ = std::max(latest_, clock_.now() - arrivals_.front().at);
        arrivals_.pop_front();
      }
    }
    return {code, {}, {}};
  }

  void scrape() {
    if (!scraping_) return;
    auto append = [this]() -> awaitable<void> {
      wal::NewRecord record = forward::word(std::string(kScrapeBytes, 'x'));
      const Result<> appended = co_await queue_.append(lane_, std::move(record));
      REQUIRE(appended.has_value());
    };
    task_ = std::move(append);
    boost::asio::co_spawn(io_, task_(), boost::asio::detached);
    scraped_ += kScrapeBytes;
    arrivals_.push_back({scraped_, clock_.now()});
    clock_.call_at(clock_.now() + every_, [this] { scrape(); });
  }

  struct Arrival {
    std::uint64_t upto;
    Time at;
  };

  const double inflow_;
  const Duration every_;
  std::function<awaitable<void>()> task_;
  boost::asio::io_context io_;
  SimClock clock_{io_};
  FaultCounts happened_;
  SimNetwork network_{clock_, Rng(7), [this](const http::Request& request) { return take(request); },
                      happened_};
  SimTransport transport_{network_, clock_};
  wal::MemStore disk_;
  SimWorker writer_{clock_, [] { return Duration(1ms); }};
  SimWorker reader_{clock_, [] { return Duration(1ms); }};
  wal::WalMetrics metrics_;
  wal::Queue queue_{disk_, writer_, reader_, clock_, wal::WalLimits{}, metrics_};
  forward::WordDestination destination_;
  std::unique_ptr<forward::Sender> sender_;
  LaneId lane_;
  bool scraping_ = true;
  std::uint64_t scraped_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t taken_ = 0;  // requests
  std::deque<Arrival> arrivals_;
  Duration latest_{};
};

constexpr double kKbit = 1e3;
constexpr double kMbit = 1e6;

const Line kLines[] = {
    {"128 kbit/s, 1 ms", 128 * kKbit, 1ms, 0},
    {"128 kbit/s, 300 ms, lossy", 128 * kKbit, 300ms, 0.01},
    {"512 kbit/s, 100 ms", 512 * kKbit, 100ms, 0.001},
    {"2 Mbit/s, 20 ms", 2 * kMbit, 20ms, 0},
    {"2 Mbit/s, 300 ms, lossy", 2 * kMbit, 300ms, 0.01},
    {"10 Mbit/s, 50 ms", 10 * kMbit, 50ms, 0.001},
    {"10 Mbit/s, 300 ms, lossy", 10 * kMbit, 300ms, 0.01},
    {"100 Mbit/s, 1 ms", 100 * kMbit, 1ms, 0},
    {"100 Mbit/s, 100 ms, lossy", 100 * kMbit, 100ms, 0.01},
    {"1 Gbit/s, 300 ms, lossy", 1000 * kMbit, 300ms, 0.01},
};

// What comes in takes two fifths of what the line carries, one request after the other; of the fast ones
// less, to spare the test.
double inflow(const Line& line) {
  const double round_trip = std::chrono::duration<double>(line.round_trip).count();
  const double resent = line.loss * kRequestBytes / 1448 * round_trip;
  const double carried = kRequestBytes / (kRequestBytes / (line.bits_per_s / 8) + round_trip + resent);
  return 0.4 * std::min(carried, 1e6);
}

TEST_CASE("a replay uses four fifths of what its line carries, and then live data is a minute late at most") {
  for (const Line& line : kLines) {
    CAPTURE(line.name);
    Node node(line, inflow(line));
    node.live_for(3min);
    node.outage_for(10min);
    // It is noticed within half a minute that the receiver is back, and not asked for more than it can take
    // at first: that is kindness to it, and not the line's time.
    REQUIRE(node.drain_to(540, 5min));
    const Time begun = node.now();
    const Duration needed_before = node.needed(line);
    REQUIRE(node.drain_to(10, 1h));
    const Duration needed = node.needed(line) - needed_before;
    const double used = std::chrono::duration<double>(needed) / (node.now() - begun);
    CAPTURE(used);
    CHECK(used >= 0.8);
    node.forget_latest();
    node.live_for(10min);
    CHECK(node.latest() <= 60s);
  }
}

TEST_CASE("a request is no larger than its line carries in good time, whatever the receiver would take") {
  for (const Line& line : kLines) {
    CAPTURE(line.name);
    constexpr std::uint64_t kMore = 100 * kRequestBytes;
    Node node(line, inflow(line), kMore);
    node.live_for(3min);
    node.outage_for(10min);
    REQUIRE(node.drain_to(10, 40min));
    CHECK(node.longest() <= 25s);  // an answer is given up after 30
  }
}

}  // namespace
}  // namespace tideover::sim
