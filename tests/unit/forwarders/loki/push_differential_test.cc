// Scanner and writer against generated protobuf code: on requests, and on bytes that were requests once.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "forwarders/loki/push_scan.h"
#include "forwarders/loki/push_writer.h"
#include "tests/support/push_oracle.h"
#include "tests/unit/forwarders/loki/random_push.h"

namespace tideover::loki {
namespace {

using test::PushedStreams;

// Fixed in CI; TIDEOVER_SEED tries another.
std::uint64_t seed() {
  const char* given = std::getenv("TIDEOVER_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261129;
}

std::string written(const PushedStreams& streams, PushWriter& writer) {
  for (const test::PushedStream& stream : streams) {
    writer.stream(stream.labels);
    for (const test::PushedEntry& entry : stream.entries) {
      std::vector<Pair> pairs;
      for (const auto& [name, value] : entry.metadata) pairs.push_back({name, value});
      writer.entry(entry.ns, entry.line, pairs);
    }
  }
  return writer.take();
}

TEST_CASE("the push scan reads what generated code wrote") {
  Rng rng(seed());
  std::size_t entries = 0;
  for (int round = 0; round < 5'000; ++round) {
    const PushedStreams streams = test::random_push(rng);
    const std::string raw = test::written_by_generated_code(streams);
    INFO("seed " << seed() << " round " << round);
    REQUIRE(test::pushed_as_scanned(raw) == streams);
    for (const auto& stream : streams) entries += stream.entries.size();
  }
  CHECK(entries > 5'000);
}

TEST_CASE("the push scan finds what generated code finds in requests whose bytes were altered") {
  Rng rng(seed() + 1);
  int decoded = 0;
  const int rounds = 60'000;
  for (int round = 0; round < rounds; ++round) {
    std::string raw = test::written_by_generated_code(test::random_push(rng));
    test::alter(rng, raw);
    const auto expected = test::pushed_as_generated_code_reads(raw);
    INFO("seed " << seed() + 1 << " round " << round);
    REQUIRE(test::pushed_as_scanned(raw) == expected);
    decoded += expected ? 1 : 0;
  }
  CHECK(decoded > rounds / 10);  // both happen, or the test says nothing
  CHECK(decoded < rounds - rounds / 10);
}

TEST_CASE("the push writer writes what generated code writes, byte for byte") {
  Rng rng(seed() + 2);
  PushWriter writer;
  for (int round = 0; round < 5'000; ++round) {
    const PushedStreams streams = test::random_push(rng);
    INFO("seed " << seed() + 2 << " round " << round);
    REQUIRE(written(streams, writer) == test::written_by_generated_code(streams));
  }
}

}  // namespace
}  // namespace tideover::loki
