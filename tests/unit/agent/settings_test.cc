// From the node's limits to the agent's own.
#include "agent/settings.h"

#include <catch2/catch.hpp>

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

TEST_CASE("a small memory limit shrinks the buffers, and none leaves them as they are") {
  NodeFacts small;
  small.memory_limit_bytes = 64 << 20;
  const Settings at_64 = derive(config::Config{}, small);
  const Settings unlimited = derive(config::Config{}, NodeFacts{});
  CHECK(at_64.intake_server.inflight_bytes * 2 == unlimited.intake_server.inflight_bytes);
  CHECK(at_64.memtable_bytes * 2 == unlimited.memtable_bytes);
}

}  // namespace
}  // namespace tideover
