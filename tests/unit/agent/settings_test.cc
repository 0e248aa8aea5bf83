// From the node's limits to the agent's own.
#include "agent/settings.h"

#include <catch2/catch.hpp>

#include "agent/config/load.h"

namespace tideover {
namespace {

Settings on_node_with_descriptors(std::uint64_t descriptors) {
  NodeFacts node;
  node.descriptors = descriptors;
  return derive(config::Config{}, node);
}

TEST_CASE("clients never get the descriptors that the store needs") {
  constexpr std::uint64_t kOpenTables = 64;
  for (const std::uint64_t descriptors : {256U, 512U, 1024U, 20'000U, 1'048'576U}) {
    CAPTURE(descriptors);
    const Settings s = on_node_with_descriptors(descriptors);
    const std::uint64_t clients = s.intake_server.connections + 2 * s.admin_server.connections;
    CHECK(clients + kOpenTables + 32 <= descriptors);
    CHECK(s.intake_server.connections >= 8);
  }
  CHECK(on_node_with_descriptors(1024).intake_server.connections == server::ServerLimits{}.connections);
  CHECK(on_node_with_descriptors(16).intake_server.connections == 8);  // whoever can be served is
}

TEST_CASE("nor those that files of logs are read with") {
  const config::Loaded loaded = config::parse(
      "cluster: a\nnode: n\nlogs:\n  files: [/p/*/*/*.log]\n  destinations: [{name: l, url: 'http://l'}]\n",
      "t.yaml");
  REQUIRE(loaded.config);
  const auto with = [&](std::uint64_t descriptors) {
    NodeFacts node;
    node.descriptors = descriptors;
    return derive(*loaded.config, node);
  };
  for (const std::uint64_t descriptors : {256U, 512U, 1024U, 20'000U, 1'048'576U}) {
    CAPTURE(descriptors);
    const Settings s = with(descriptors);
    const std::uint64_t clients = s.intake_server.connections + 2 * s.admin_server.connections;
    CHECK(clients + 2 * s.log_files_open + 128 <= descriptors);
    CHECK(s.log_files_open >= 16);
  }
  CHECK(with(1'048'576).log_files_open == 256);
  CHECK(on_node_with_descriptors(1024).log_files_open == 0);
}

TEST_CASE("a small memory limit shrinks the buffers, and none leaves them as they are") {
  NodeFacts small;
  small.memory_limit_bytes = 64 << 20;
  const Settings at_64 = derive(config::Config{}, small);
  const Settings unlimited = derive(config::Config{}, NodeFacts{});
  CHECK(at_64.inflight_bytes * 2 == unlimited.inflight_bytes);
  CHECK(at_64.memtable_bytes * 2 == unlimited.memtable_bytes);
}

config::Config with_budget(std::optional<std::uint64_t> bytes) {
  config::Config config;
  config.metrics.emplace();
  if (bytes) config.metrics->max_bytes = config::Size{*bytes};
  return config;
}

TEST_CASE("what is set aside gets its shares of the budget, and the refused for inspection a small one") {
  constexpr std::uint64_t kMiB = 1 << 20;
  const Settings s = derive(with_budget(64 * kMiB), NodeFacts{});
  CHECK(s.metrics.max_bytes == 64 * kMiB);
  CHECK(s.metrics.parked_max_bytes == 16 * kMiB);
  CHECK(s.metrics.rejects_max_bytes == 4 * kMiB);
  CHECK(derive(with_budget(1024 * kMiB), NodeFacts{}).metrics.rejects_max_bytes ==
        16 * kMiB);  // as DELIVERY.md says

  NodeFacts node;
  node.file_system_bytes = 10'000 * kMiB;
  CHECK(derive(with_budget({}), node).metrics.max_bytes == 1'000 * kMiB);
  node.file_system_bytes = 1'000'000 * kMiB;
  CHECK(derive(with_budget({}), node).metrics.max_bytes == 4'096 * kMiB);
}

TEST_CASE("the memory that is planned with is the least of what is promised, allowed and written") {
  constexpr std::uint64_t kMiB = 1 << 20;
  struct Case {
    std::uint64_t cgroup;   // 0: none
    std::uint64_t written;  // 0: not
    double part;            // of what 128 MiB are planned with
  };
  for (const Case& c :
       {Case{0, 0, 1}, Case{1024 * kMiB, 0, 1}, Case{64 * kMiB, 0, 0.5}, Case{16 * kMiB, 0, 0.375},
        Case{64 * kMiB, 96 * kMiB, 0.75}, Case{0, 64 * kMiB, 0.5}, Case{0, 4096 * kMiB, 1}}) {
    CAPTURE(c.cgroup, c.written);
    NodeFacts node;
    node.memory_limit_bytes = c.cgroup;
    config::Config config;
    if (c.written != 0) config.memory.limit = config::Size{c.written};
    const Settings s = derive(config, node);
    const auto part = [&c](std::uint64_t mib) {
      return static_cast<std::uint64_t>(static_cast<double>(mib * kMiB) * c.part);
    };
    CHECK(s.signal.fresh_bytes == part(6));
    CHECK(s.signal.waiting_bytes == part(16));
    CHECK(s.memtable_bytes == part(8));
    CHECK(s.inflight_bytes == part(24));
    CHECK(s.intake_server.body_bytes == 8 * kMiB);  // as INTAKE.md says: they fit, one after the other
    CHECK(s.memory_shortfall.empty() == (c.part == 1));
    CHECK(s.admin_server.inflight_bytes == kMiB);
    CHECK(s.admin_server.body_bytes == 64 << 10);
  }
}

TEST_CASE("signals share the memory, and each takes a request as large as one alone") {
  const Settings one = derive(config::Config{}, NodeFacts{}, {1, 1});
  const Settings two = derive(config::Config{}, NodeFacts{}, {2, 2});
  CHECK(two.signal.fresh_bytes == one.signal.fresh_bytes / 2);
  CHECK(two.signal.waiting_bytes == one.signal.waiting_bytes / 2);
  CHECK(two.memtable_bytes == one.memtable_bytes);
  const Settings three = derive(config::Config{}, NodeFacts{}, {3, 3});
  for (const Settings* s : {&one, &two, &three}) {
    CHECK(s->inflight_bytes == 24 << 20);
    CHECK(s->intake_server.body_bytes == server::ServerLimits{}.body_bytes);
    CHECK(s->intake_server.inflight_bytes == s->intake_server.body_bytes);  // nobody else can take them
    CHECK(s->memory_shortfall.empty());
  }
}

TEST_CASE("requests that are smaller than INTAKE.md says are said") {
  NodeFacts small;
  small.memory_limit_bytes = 64 << 20;
  CHECK(derive(config::Config{}, small).memory_shortfall ==
        "requests under way share 12.0 MiB instead of 24.0 MiB");
  const Settings three = derive(config::Config{}, small, {3, 3});
  CHECK(three.intake_server.body_bytes == 4 << 20);
  CHECK(three.memory_shortfall ==
        "requests under way share 12.0 MiB instead of 24.0 MiB, and one may have 4.0 MiB instead of 8.0 MiB");
  CHECK(derive(config::Config{}, NodeFacts{}, {4, 4}).memory_shortfall ==
        "one may have 6.0 MiB instead of 8.0 MiB");
}

TEST_CASE("what is kept free of a large disk is bounded where no kubelet evicts by share") {
  NodeFacts node;
  CHECK(derive(config::Config{}, node).wal.keep_free_bytes_max == 4ULL << 30);
  CHECK(derive(config::Config{}, node).wal.keep_free_ratio == Approx(0.2));
  node.kubernetes = true;
  CHECK(derive(config::Config{}, node).wal.keep_free_bytes_max == UINT64_MAX);
  config::Config config;
  config.disk.keep_free = config::Percentage{0.3};
  node.kubernetes = false;
  CHECK(derive(config, node).wal.keep_free_bytes_max == UINT64_MAX);
  CHECK(derive(config, node).wal.keep_free_ratio == Approx(0.3));
}

}  // namespace
}  // namespace tideover
