// A signal as an agent has it, from the text of its configuration to its parts: a queue on a disk in memory
// and receivers that are functions, in virtual time. Only intake's listener is a real socket. It is the
// metrics signal, or that of logs where the configuration has no metrics.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "agent/config/load.h"
#include "agent/log/log.h"
#include "agent/logs_signal.h"
#include "agent/metrics_signal.h"
#include "forwarders/loki/log_record.h"
#include "forwarders/loki/push_writer.h"
#include "tests/support/fake_files.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/notifier.h"
#include "wal/metrics.h"
#include "wal/queue_state.h"

namespace tideover {

using namespace std::chrono_literals;

inline config::Config config_of(const std::string& yaml) {
  config::Loaded loaded = config::parse(yaml, "t.yaml", {.environment = {}, .host_name = "node-7"});
  INFO(yaml << loaded.report);
  REQUIRE(loaded.config);
  return *loaded.config;
}

// A receiver, and what came to it. It outlives the agents that send to it.
struct Mgmt {
  std::vector<http::Request> requests;
  Duration patience{};  // of the last of them
  std::function<Result<http::Response>(const http::Request&)> answers =
      [](const http::Request&) -> Result<http::Response> {
    return http::Response{204, {}, {}};
  };

  void answer(int status, std::string words = {}) {
    answers = [status, words](const http::Request&) -> Result<http::Response> {
      return http::Response{status, {}, words};
    };
  }
  // Of what came, newest last, whatever the answer.
  std::vector<test::Point> points() const {
    std::vector<test::Point> all;
    for (const http::Request& request : requests) {
      const bool v2 = request.headers.find("Content-Type").find("v2") != std::string_view::npos;
      const auto some =
          test::samples_of(test::snappy_plain(request.body), v2 ? test::Version::v2 : test::Version::v1);
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
};

class MgmtTransport final : public http::Transport {
 public:
  MgmtTransport(Clock& clock, Mgmt& mgmt) : clock_(clock), mgmt_(mgmt) {}

  awaitable<Result<http::Response>> send(http::Request request, Time deadline) override {
    mgmt_.patience = deadline - clock_.now();
    mgmt_.requests.push_back(request);
    co_await sleep_until(clock_, clock_.now() + 5ms);
    if (closed_) co_return fail(Errc::stopping, "closed");
    co_return mgmt_.answers(request);
  }
  void close() override { closed_ = true; }

 private:
  Clock& clock_;
  Mgmt& mgmt_;
  bool closed_ = false;
};

// The lines that the agent logs while this lives.
class LogLines {
 public:
  LogLines() {
    log::configure({.format = log::Format::logfmt, .level = log::Level::debug, .write = [this](auto line) {
                      lines.emplace_back(line);
                    }});
  }
  ~LogLines() { log::configure({}); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  std::size_t count(std::string_view words) const {
    std::size_t n = 0;
    for (const std::string& line : lines) n += line.find(words) != line.npos ? 1 : 0;
    return n;
  }
  std::string last(std::string_view words) const {
    for (auto it = lines.rbegin(); it != lines.rend(); ++it)
      if (it->find(words) != it->npos) return *it;
    return {};
  }

  std::vector<std::string> lines;
};

inline std::string message(int samples, std::int64_t at_ms = 1'000) {
  test::WriteRequest request;
  request.series({{"__name__", "up"}, {"job", "node"}});
  for (int i = 0; i < samples; ++i) request.sample(at_ms + i, i);
  return request.encode(test::Version::v1);
}

using test::noise;

struct SignalLife {
  SignalLife(wal::MemStore& disk, const std::string& yaml, NodeFacts node = {}, Sharers sharers = {})
      : config(config_of(yaml)), settings(derive(config, node, sharers)), store(disk) {
    REQUIRE(run(queue.open()).has_value());
    const SignalParts parts{io, clock, queue, config, settings};
    const Network network = [this](http::TransportOptions options) {
      const std::string url = options.url;
      reached.push_back(std::move(options));
      return Result<std::unique_ptr<http::Transport>>(std::make_unique<MgmtTransport>(clock, mgmt[url]));
    };
    if (config.metrics)
      signal = std::make_unique<MetricsSignal>(parts, network);
    else
      signal = std::make_unique<LogsSignal>(parts, network, LogFiles::Ports{files, log_worker});
    REQUIRE(signal->open().has_value());
    signal->spawn(senders);
  }
  ~SignalLife() {
    disk_takes = 1ms;
    writer.hurry();
    signal->stop_senders();
    CHECK(run(senders.join_until(clock.now() + 10s)));
    run(signal->close_intake(clock.now()));
    run(queue.stop());
    clock.run_for(1s);
  }

  template <class T>
  T run(awaitable<T> task) {
    std::optional<T> result;
    auto keep = [&result](awaitable<T> wanted) -> awaitable<void> {
      result.emplace(co_await std::move(wanted));
    };
    start(keep(std::move(task)));
    while (!result) REQUIRE(clock.step(clock.now() + 1h));
    return std::move(*result);
  }
  void run(awaitable<void> task) {
    auto then = [](awaitable<void> wanted) -> awaitable<bool> {
      co_await std::move(wanted);
      co_return true;
    };
    run(then(std::move(task)));
  }
  void start(awaitable<void> task) {
    boost::asio::co_spawn(io, std::move(task), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
  }

  // As intake would: a record of so many samples of one series, from `at_ms` on; of lines, for logs, now.
  Result<> write(int items, std::int64_t at_ms = 1'000) {
    const std::int64_t now_ms = to_unix_ms(clock.wall_now());
    wal::NewRecord record =
        config.metrics ? test::new_record(message(items, at_ms), test::Version::v1) : lines(items, now_ms);
    record.attributes.arrival_ms = now_ms;
    return run(queue.append(lane, std::move(record)));
  }
  static loki::PushWriter push_writer(int count, std::int64_t now_ms, std::size_t line_bytes) {
    Rng letters(1);
    loki::PushWriter push;
    push.stream(R"({app="shop"})");
    for (int i = 0; i < count; ++i) {
      std::string line = "line " + std::to_string(i) + " ";
      while (line.size() < line_bytes) line.push_back(static_cast<char>('0' + letters.below(64)));
      push.entry(now_ms * 1'000'000 + i, line, std::string_view());
    }
    return push;
  }
  static wal::NewRecord lines(int count, std::int64_t now_ms) {
    loki::PushWriter push = push_writer(count, now_ms, 0);
    const loki::PushFacts facts{push.entries(), push.oldest_ns(), push.newest_ns()};
    return loki::push_record(push.take(), facts, now_ms);
  }
  // The body of a push of so many lines, which do not compress.
  std::string push_of(int count, std::size_t line_bytes) const {
    return test::snappy_block(push_writer(count, to_unix_ms(clock.wall_now()), line_bytes).take());
  }

  // The same over the socket, as Prometheus would: to the address of the configuration.
  http::Response post(std::string_view path, const std::string& body,
                      const std::string& type = "application/x-protobuf", const std::string& more = {}) {
    std::string out = "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    out += "Content-Type: " + type + "\r\nContent-Encoding: snappy\r\n" + more;
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return exchange(std::move(out));
  }

  // A client's connection to the address of the configuration, from `last_octet` of 127.0.0.0/8.
  int connect(int last_octet = 1) {
    Inheritance nothing;
    if (signal->servers().empty()) REQUIRE(signal->listen(nothing).has_value());
    const std::string address = signal->servers().front()->address();
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f000000U | static_cast<std::uint32_t>(last_octet));
    REQUIRE(::bind(client, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0);
    REQUIRE(::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return client;
  }

  // Sends this as it is, and waits for the end of the connection.
  http::Response exchange(std::string out) { return exchange(connect(peer), std::move(out)); }
  http::Response exchange(int client, std::string out) {
    std::string in;
    bool ended = false;
    for (int turns = 0; !ended && turns < 60'000; ++turns) {
      if (!out.empty()) {
        const ssize_t sent = ::send(client, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) out.erase(0, static_cast<std::size_t>(sent));
      }
      clock.run_for(1ms);
      pollfd wait{client, POLLIN, 0};
      if (::poll(&wait, 1, 1) <= 0) continue;
      char some[4096];
      const ssize_t got = ::recv(client, some, sizeof some, MSG_DONTWAIT);
      if (got > 0) in.append(some, static_cast<std::size_t>(got));
      ended = got == 0;
    }
    ::close(client);
    REQUIRE(in.starts_with("HTTP/1.1 "));
    return {std::stoi(in.substr(9, 3)), {}, in.substr(in.find("\r\n\r\n") + 4)};
  }

  admin::Snapshot snapshot() const {
    admin::Snapshot s;
    s.now_ms = to_unix_ms(clock.wall_now());
    s.store = describe_store(queue, settings.wal, wal_metrics);
    s.signals.push_back(signal->describe());
    return s;
  }
  admin::BufferSnapshot buffer() const { return signal->describe().buffer; }
  admin::DestinationSnapshot destination(std::string_view name = "thanos") const {
    for (const admin::DestinationSnapshot& d : signal->describe().destinations)
      if (d.name == name) return d;
    FAIL("no such destination: " << name);
    return {};
  }

  int peer = 1;  // the last octet of the address that clients come from

  const config::Config config;
  const Settings settings;
  wal::MemStore& store;
  const LaneId lane = wal::lane_id(config.metrics ? "metrics" : "logs");
  std::map<std::string, Mgmt> mgmt;  // by URL
  std::vector<http::TransportOptions> reached;
  boost::asio::io_context io;
  sim::SimClock clock{io};
  Duration disk_takes = 1ms;
  sim::SimWorker writer{clock, [this] { return disk_takes; }};
  sim::SimWorker reader{clock, [] { return Duration(1ms); }};
  wal::WalMetrics wal_metrics;
  wal::Queue queue{store, writer, reader, clock, settings.wal, wal_metrics};
  std::shared_ptr<tail::FakeFiles> files = std::make_shared<tail::FakeFiles>();
  std::shared_ptr<sim::SimWorker> log_worker =
      std::make_shared<sim::SimWorker>(clock, [] { return Duration(1ms); });
  TaskGroup senders{io.get_executor(), clock};
  std::unique_ptr<LaneSignal> signal;
};

}  // namespace tideover
