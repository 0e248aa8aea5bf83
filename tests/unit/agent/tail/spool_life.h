// A node with containers that write and kubelet that rotates, a disk for the queue, and lives of an agent
// whose spool reads the one into the other, in virtual time.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/tail/spool.h"
#include "forwarders/loki/push_scan.h"
#include "forwarders/remote_write/snappy.h"
#include "tests/support/fake_files.h"
#include "tests/support/kubelet_rotator.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "wal/metrics.h"
#include "wal/queue.h"

namespace tideover::tail {

using namespace std::chrono_literals;

inline const std::string kPods = "/var/log/pods";

using Lines = std::vector<std::string>;

// It outlives the agent's lives.
class Node {
 public:
  Node() {
    pass(0s);
    files.make_directories(kPods);
  }

  std::int64_t now_ns() const { return now_ns_; }
  void pass(Duration time) { set_now(now_ns_ + std::chrono::nanoseconds(time).count()); }
  void set_now(std::int64_t ns) {
    now_ns_ = ns;
    files.set_now(now_ns_);
  }

  // `path` as ns_pod_uid/container; the pod is made with its first container.
  KubeletRotator& container(const std::string& path) {
    std::unique_ptr<KubeletRotator>& kubelet = kubelets_[path];
    if (!kubelet) kubelet = std::make_unique<KubeletRotator>(files, kPods + "/" + path);
    return *kubelet;
  }
  bool has(const std::string& path) const { return kubelets_.contains(path); }
  void write(const std::string& path, std::size_t lines, std::size_t padding = 0,
             Output output = Output::standard) {
    KubeletRotator& kubelet = container(path);
    Lines& all = written[labels.of(*parse_container_path(path), output).labels];
    for (std::size_t i = 0; i < lines; ++i) {
      set_now(now_ns_ + 1'000);
      all.push_back(
          fmt::format("{} {} {}{}", path, all.size(), to_string(output), std::string(padding, 'x')));
      kubelet.write(prefix(output, "F") + all.back() + "\n");
    }
  }
  void write_part(const std::string& path, const std::string& text) {
    container(path).write(prefix(Output::standard, "P") + text + "\n");
  }
  void rotate(const std::string& path) {
    pass(2s);
    container(path).rotate();
  }
  void remove_pod(const std::string& pod) {
    files.remove(kPods + "/" + pod);
    std::erase_if(kubelets_, [&](const auto& kubelet) { return kubelet.first.starts_with(pod + "/"); });
  }
  std::vector<std::string> positions() const {
    std::vector<std::string> paths;
    for (const auto& [path, kubelet] : kubelets_)
      if (position_of(path)) paths.push_back(path);
    return paths;
  }
  bool position_of(const std::string& path) const {
    const auto value = disk.meta("check/" + std::string(kPositionPrefix) + path);
    return value && !value->empty();
  }

  wal::MemStore disk;
  FakeFiles files;
  StreamLabels labels{"node1", "app1", {}};
  std::map<std::string, Lines> written;  // by labels

 private:
  std::string prefix(Output output, std::string_view tag) const {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z {} {} ",
                       fmt::gmtime(static_cast<std::time_t>(now_ns_ / 1'000'000'000)),
                       now_ns_ % 1'000'000'000, to_string(output), tag);
  }

  std::int64_t now_ns_ = 1'795'860'000'000'000'000;
  std::map<std::string, std::unique_ptr<KubeletRotator>> kubelets_;
};

class SpoolLife {
 public:
  explicit SpoolLife(Node& node, SpoolOptions options = {}, std::vector<relabel::Rule> rules = {})
      : SpoolLife(node, node.disk, std::move(options), std::move(rules)) {}
  SpoolLife(Node& node, wal::Store& store, SpoolOptions options = {}, std::vector<relabel::Rule> rules = {})
      : node_(node), store_(store) {
    clock.jump_wall(
        std::chrono::nanoseconds(node.now_ns()) -
        std::chrono::duration_cast<std::chrono::nanoseconds>(clock.wall_now().time_since_epoch()));
    open_ = run(queue.open()).has_value();
    if (!open_) return;
    lane = queue.open_lane("logs", {0, true});
    cursor = queue.open_cursor(lane, "loki", wal::Keep::required, wal::StartAt::oldest);
    options.lane = lane;
    options.on_note = [this](const std::string& sentence) { notes.push_back(sentence); };
    spool = std::make_unique<Spool>(queue, node.files, logs, clock,
                                    StreamLabels("node1", "app1", std::move(rules)), options);
    boost::asio::co_spawn(io, spool->run(), [this](std::exception_ptr error) {
      ended_ = true;
      if (error) std::rethrow_exception(error);
    });
  }
  ~SpoolLife() {
    writer.hurry();
    logs.hurry();
    if (spool) spool->stop();
    auto stop = [](wal::Queue& q) -> awaitable<bool> {
      co_await q.stop();
      co_return true;
    };
    run(stop(queue));
    clock.run_for(10s);
    CHECK(ended_ == open_);
  }

  void run_for(Duration time) {
    clock.run_for(time);
    node_.pass(time);
  }
  // Until nothing comes any more; each file is left a while after its last line.
  void drain() { run_for(10s); }
  // One way to die: what is under way is not done.
  void lose_power() { node_.disk.crash(); }

  // All that is in the lane, in order, by labels.
  std::map<std::string, Lines> spooled() {
    while (true) {
      const auto batch = run(queue.read(cursor, 8 << 20));
      REQUIRE(batch.has_value());
      for (const wal::StoredRecord& record : batch->records) take(record);
      if (batch->next == batch->first) return lines_;
      REQUIRE(queue.ack(cursor, {batch->next, {}, {}, 0, 0, 0}));
    }
  }
  std::size_t records() const { return records_; }
  std::uint32_t largest_record() const { return largest_; }  // before it was compressed
  std::uint64_t looks() const { return looks_; }             // by the worker of logs
  bool ended() const { return ended_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }  // of lines that have some

  template <class T>
  T run(awaitable<T> task) {
    std::optional<T> result;
    auto keep = [&result](awaitable<T> wanted) -> awaitable<void> {
      result.emplace(co_await std::move(wanted));
    };
    boost::asio::co_spawn(io, keep(std::move(task)), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    while (!result) REQUIRE(clock.step(clock.now() + 1h));
    return std::move(*result);
  }

 private:
  void take(const wal::StoredRecord& record) {
    ++records_;
    largest_ = std::max(largest_, record.attributes.raw_bytes);
    std::string push;
    REQUIRE(remote_write::decompress(record.payload(), 32 << 20, push).has_value());
    CHECK(push.size() == record.attributes.raw_bytes);
    loki::PushReader request(push);
    loki::PushEntry entry;
    std::uint32_t entries = 0;
    while (request.next_stream()) {
      Lines& lines = lines_[std::string(request.labels())];
      for (; request.next_entry(entry); ++entries) {
        lines.emplace_back(entry.line);
        loki::MetadataReader pairs(entry.metadata);
        for (loki::Pair pair; pairs.next(pair);)
          metadata_[lines.back().substr(0, 32)] += std::string(pair.name) + "=" + std::string(pair.value);
      }
    }
    REQUIRE_FALSE(request.broken());
    CHECK(entries == record.attributes.units);
  }

  Node& node_;
  wal::Store& store_;
  bool open_ = false;
  bool ended_ = false;
  std::map<std::string, Lines> lines_;
  std::map<std::string, std::string> metadata_;
  std::size_t records_ = 0;
  std::uint32_t largest_ = 0;
  std::uint64_t looks_ = 0;

 public:
  boost::asio::io_context io;
  sim::SimClock clock{io};
  Duration look_takes = 1ms;
  sim::SimWorker writer{clock, [] { return Duration(1ms); }};
  sim::SimWorker reader{clock, [] { return Duration(1ms); }};
  sim::SimWorker logs{clock, [this] {
                        ++looks_;
                        return look_takes;
                      }};
  wal::WalMetrics metrics;
  wal::Queue queue{store_, writer, reader, clock, wal::WalLimits{}, metrics};
  LaneId lane;
  wal::CursorId cursor;
  std::unique_ptr<Spool> spool;
  Lines notes;
};

// Every line once and in order: a difference is named by its first line.
inline void check_same(const std::map<std::string, Lines>& spooled,
                       const std::map<std::string, Lines>& written) {
  for (const auto& [labels, lines] : written) {
    const auto found = spooled.find(labels);
    const Lines& got = found == spooled.end() ? Lines() : found->second;
    const auto [a, b] = std::ranges::mismatch(got, lines);
    INFO(labels << ": " << got.size() << " of " << lines.size() << " lines; they differ at "
                << (b - lines.begin()) << ": " << (a == got.end() ? "nothing" : a->substr(0, 80)));
    CHECK(got == lines);
  }
  for (const auto& [labels, lines] : spooled) CHECK(written.contains(labels));
}

}  // namespace tideover::tail
