// What it costs to bring logs from files into the durable queue, in CPU time of the whole process. One JSON
// line.
//
//   cmake --preset release && cmake --build --preset release --target tail_bench
//   build/release/tail_bench DIRECTORY drain CONTAINERS MEGABYTES   files of that size together, once through
//   build/release/tail_bench DIRECTORY rest CONTAINERS SECONDS      files to which nothing is written
//   build/release/tail_bench DIRECTORY trickle CONTAINERS SECONDS   a line a second to each
//
// Lines are the runtime's, of 200 bytes. Writing them is not counted, nor is it done while the clock runs,
// but for `trickle`, whose writer is a process of its own. A sender's part is played by a cursor that
// follows, from memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/tail/posix_files.h"
#include "agent/tail/spool.h"
#include "wal/base/invariant.h"
#include "wal/base/rng.h"
#include "wal/base/system_clock.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"
#include "wal/rocks/rocks_store.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kLineBytes = 200;

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Words that a program might say: neither noise nor one letter, so that snappy has what it has in life.
class Writer {
 public:
  std::string line() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    std::string line = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z stdout F level=info request={:016x}",
                                   fmt::gmtime(static_cast<std::time_t>(ns / 1'000'000'000)),
                                   ns % 1'000'000'000, rng_.next());
    static constexpr const char* kWords[] = {"handled", "in",   "upstream=shop-7", "status=200", "bytes=",
                                             "user",    "path", "/api/v1/orders",  "retries=0",  "cache=hit"};
    while (line.size() < kLineBytes - 1)
      line += fmt::format(" {}{}", kWords[rng_.below(std::size(kWords))], rng_.below(1000));
    line.resize(kLineBytes - 1);
    return line + "\n";
  }

 private:
  Rng rng_{1};
};

std::string directory_of(const std::string& root, int i) {
  return fmt::format("{}/pods/ns{}_pod-{}_uid{}/app", root, i % 7, i, i);
}

void write_files(const std::string& root, int containers, std::size_t bytes) {
  Writer writer;
  for (int i = 0; i < containers; ++i) {
    fs::create_directories(directory_of(root, i));
    std::ofstream file(directory_of(root, i) + "/0.log", std::ios::binary);
    for (std::size_t done = 0; done < bytes; done += kLineBytes) file << writer.line();
  }
}

// Goes with its parent.
pid_t start_trickle(const std::string& root, int containers) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Writer writer;
  for (;;) {
    for (int i = 0; i < containers; ++i) {
      std::ofstream(directory_of(root, i) + "/0.log", std::ios::binary | std::ios::app) << writer.line();
      ::usleep(static_cast<useconds_t>(1'000'000 / containers));
    }
  }
}

class Agent {
 public:
  explicit Agent(const std::string& root) : store_(in(root + "/store")) {
    run(open());
    lane_ = queue_.open_lane("logs", {0, true});
    cursor_ = queue_.open_cursor(lane_, "loki", wal::Keep::required, wal::StartAt::oldest);
    tail::SpoolOptions options;
    options.lane = lane_;
    options.sweep.discovery.pods_directory = root + "/pods";
    options.on_note = [](const std::string& sentence) { fmt::print(stderr, "{}\n", sentence); };
    spool_ = std::make_unique<tail::Spool>(queue_, files_, logs_, clock_,
                                           tail::StreamLabels("node-1", "app1", {}), options);
    boost::asio::co_spawn(io_, spool_->run(), [this](std::exception_ptr) { running_ = false; });
    boost::asio::co_spawn(io_, follow(), [](std::exception_ptr) {});
  }
  ~Agent() {
    spool_->stop();
    queue_.interrupt(cursor_);
    while (running_ && io_.run_one() > 0) {
    }
    run(queue_.stop());
  }

  void read_lines(std::uint64_t lines) {
    while (spooled() < lines && io_.run_one() > 0) {
    }
  }
  void run_for(Duration time) {
    const Time end = clock_.now() + time;
    while (clock_.now() < end && io_.run_one_until(end) > 0) {
    }
  }
  std::uint64_t spooled() const { return queue_.usage(lane_).accepted.units; }
  std::uint64_t stored_bytes() const { return queue_.usage(lane_).accepted.bytes; }
  tail::Tally total() { return spool_->describe(0).total; }
  std::uint64_t commits() const { return metrics_.commits; }

 private:
  static wal::RocksOptions in(std::string directory) {
    wal::RocksOptions options;
    options.directory = std::move(directory);
    return options;
  }
  void run(awaitable<void> task) {
    bool ended = false;
    boost::asio::co_spawn(io_, std::move(task), [&ended](std::exception_ptr) { ended = true; });
    while (!ended && io_.run_one() > 0) {
    }
  }
  awaitable<void> open() {
    const Result<> opened = co_await queue_.open();
    invariant(opened.has_value(), "a store can be opened in the directory");
  }
  awaitable<void> follow() {
    while (running_) {
      co_await queue_.wait_readable(cursor_, clock_.now() + 1s);
      const auto batch = co_await queue_.read(cursor_, 1 << 20);
      if (!batch) co_return;
      if (batch->next == batch->first) continue;
      wal::Ack ack;
      ack.upto = batch->next;
      queue_.ack(cursor_, std::move(ack));
    }
  }

  boost::asio::io_context io_;
  SystemClock clock_{io_};
  ThreadWorker writer_{"wal-write", io_.get_executor()};
  ThreadWorker reader_{"wal-read", io_.get_executor()};
  ThreadWorker logs_{"logs", io_.get_executor()};
  wal::RocksStore store_;
  wal::WalMetrics metrics_;
  wal::Queue queue_{store_, writer_, reader_, clock_, wal::WalLimits{}, metrics_};
  tail::PosixFiles files_;
  LaneId lane_;
  wal::CursorId cursor_;
  std::unique_ptr<tail::Spool> spool_;
  bool running_ = true;
};

void measure(const std::string& root, const std::string& what, int containers, std::uint64_t amount) {
  const bool drain = what == "drain";
  const std::size_t bytes =
      drain ? amount * 1'000'000 / static_cast<std::size_t>(containers) : 10 * kLineBytes;
  write_files(root, containers, bytes);
  const std::uint64_t lines = (bytes + kLineBytes - 1) / kLineBytes * static_cast<std::size_t>(containers);
  const pid_t child = what == "trickle" ? start_trickle(root, containers) : 0;
  {
    Agent agent(root);
    if (!drain) {
      agent.read_lines(lines);
      agent.run_for(5s);
    }
    const std::uint64_t before = agent.spooled();
    const double cpu = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    if (drain)
      agent.read_lines(lines);
    else
      agent.run_for(std::chrono::seconds(amount));
    const double used = cpu_seconds() - cpu;
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double mb = static_cast<double>((agent.spooled() - before) * kLineBytes) * 1e-6;
    rusage peak{};
    getrusage(RUSAGE_SELF, &peak);
    fmt::print(
        R"({{"scenario": "logs-{0}-{1}", "subject": "tideover", "valid": true, "containers": {1}, "mb": {2:.2f}, "seconds": {3:.2f}, "cpu_seconds": {4:.3f}, )"
        R"("mb_per_cpu_second": {5:.0f}, "cpu_percent_of_core": {6:.2f}, "commits": {7}, "stored_per_raw": {8:.3f}, "rss_peak_mib": {9}}})"
        "\n",
        what, containers, mb, took, used, mb / used, 100 * used / took, agent.commits(),
        static_cast<double>(agent.stored_bytes()) / static_cast<double>(agent.spooled() * kLineBytes),
        peak.ru_maxrss / 1024);
  }
  if (child != 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

}  // namespace
}  // namespace tideover

int main(int count, char** words) {
  if (count != 5) {
    std::fputs("usage: tail_bench DIRECTORY drain|rest|trickle CONTAINERS MEGABYTES|SECONDS\n", stderr);
    return 2;
  }
  tideover::measure(words[1], words[2], std::atoi(words[3]),
                    static_cast<std::uint64_t>(std::atoll(words[4])));
}
