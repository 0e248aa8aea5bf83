#include "forwarders/loki/push_writer.h"

#include <catch2/catch.hpp>

#include "forwarders/loki/push_scan.h"
#include "tests/support/push_oracle.h"

namespace tideover::loki {
namespace {

TEST_CASE("a push writer knows its size at any time") {
  PushWriter writer;
  CHECK(writer.bytes() == 0);
  const auto check = [&writer] {
    PushWriter copy = writer;
    CHECK(writer.bytes() == copy.take().size());
  };
  writer.stream("{app=\"one\"}");
  check();
  writer.entry(1, "first", std::string_view());
  check();
  writer.entry(2, std::string(200, 'x'), std::string_view());
  check();
  writer.stream("{app=\"two\"}");
  check();
  const Pair pair{"trace", "abc"};
  writer.entry(3, "third", {&pair, 1});
  check();
}

TEST_CASE("a push writer counts entries and knows the oldest and the newest") {
  PushWriter writer;
  CHECK(writer.oldest_ns() == 0);
  CHECK(writer.newest_ns() == 0);
  writer.stream("{a=\"1\"}");
  for (const std::int64_t ns : {7, 5, 9}) writer.entry(ns, "x", std::string_view());
  writer.stream("{a=\"2\"}");
  writer.entry(-3, "x", std::string_view());
  CHECK(writer.entries() == 4);
  CHECK(writer.oldest_ns() == -3);
  CHECK(writer.newest_ns() == 9);
}

TEST_CASE("what a push writer gave away is no part of what it writes next") {
  PushWriter writer;
  writer.stream("{a=\"1\"}");
  writer.entry(1, "x", std::string_view());
  CHECK_FALSE(writer.take().empty());
  CHECK(writer.entries() == 0);
  CHECK(writer.bytes() == 0);
  CHECK(writer.newest_ns() == 0);
  CHECK(writer.take().empty());
}

TEST_CASE("a stream without entries is left out") {
  PushWriter writer;
  writer.stream("{a=\"1\"}");
  writer.stream("{a=\"2\"}");
  writer.entry(1, "x", std::string_view());
  writer.stream("{a=\"3\"}");
  const auto read = test::pushed_as_generated_code_reads(writer.take());
  REQUIRE(read.has_value());
  REQUIRE(read->size() == 1);
  CHECK(read->at(0).labels == "{a=\"2\"}");
}

TEST_CASE("labels that are known behind the entries are those of their stream") {
  PushWriter writer;
  writer.stream({});
  writer.entry(1, "x", std::string_view());
  writer.relabel("{a=\"1\"}");
  writer.stream("{a=\"2\"}");
  writer.entry(1, "y", std::string_view());
  const auto read = test::pushed_as_generated_code_reads(writer.take());
  REQUIRE(read.has_value());
  CHECK(read->at(0).labels == "{a=\"1\"}");
  CHECK(read->at(1).labels == "{a=\"2\"}");
}

TEST_CASE("metadata from the wire is written as it came") {
  PushWriter writer;
  const Pair pair{"trace", "abc"};
  writer.stream("{a=\"1\"}");
  writer.entry(1, "x", {&pair, 1});
  const std::string first = writer.take();
  PushReader reader(first);
  PushEntry entry;
  REQUIRE(reader.next_stream());
  REQUIRE(reader.next_entry(entry));
  writer.stream(reader.labels());
  writer.entry(entry.ns, entry.line, entry.metadata);
  CHECK(writer.take() == first);
}

}  // namespace
}  // namespace tideover::loki
