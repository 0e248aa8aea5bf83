#include "agent/ingest/senders.h"

#include <catch2/catch.hpp>

namespace tideover::ingest {
namespace {

const http::Headers kPlain{{"Content-Type", "application/x-protobuf"}};
const http::Response kStored{204, {}, {}};

void send(Senders& senders, const std::string& address, std::uint64_t bytes, std::uint64_t samples = 1,
          std::int64_t now_ms = 1'000) {
  senders.note({address, kPlain, bytes, samples}, kStored, now_ms);
}

TEST_CASE("each sender has an account of its own") {
  Senders senders;
  send(senders, "10.0.0.1", 100, 7);
  send(senders, "10.0.0.2", 500, 9);
  send(senders, "10.0.0.1", 200, 4);
  senders.note({"10.0.0.1", kPlain, 30}, {400, {}, "it has no labels\nmore"}, 2'000);
  send(senders, "10.0.0.1", 5, 1);
  const SendersSnapshot s = senders.largest();
  REQUIRE(s.largest.size() == 2);
  CHECK(s.known == 2);
  CHECK(s.forgotten == 0);
  CHECK(s.largest[0].address == "10.0.0.2");
  const SenderAccount& a = s.largest[1];
  CHECK(a.address == "10.0.0.1");
  CHECK(a.requests == 4);
  CHECK(a.samples == 12);
  CHECK(a.bytes == 335);
  CHECK(a.refused == 1);
  CHECK(a.last_error == "400 it has no labels");
  CHECK(a.last_error_ms == 2'000);
  CHECK(a.last_request_ms == 1'000);
}

TEST_CASE("a tenant that a sender names is counted by its header, whatever the case") {
  Senders senders;
  const http::Headers scoped{{"x-scope-orgid", "team-a"}};
  const http::Headers thanos{{"THANOS-TENANT", "team-b"}};
  senders.note({"10.0.0.1", scoped, 1}, kStored, 1);
  senders.note({"10.0.0.1", scoped, 1}, {503, {}, "full"}, 1);
  senders.note({"10.0.0.1", thanos, 1}, kStored, 1);
  CHECK(senders.largest().largest.at(0).tenants == std::array<std::uint64_t, 2>{2, 1});
}

TEST_CASE("the twenty largest are shown") {
  Senders senders;
  for (int i = 1; i <= 30; ++i) send(senders, "10.0.0." + std::to_string(i), static_cast<std::uint64_t>(i));
  const SendersSnapshot s = senders.largest();
  REQUIRE(s.largest.size() == Senders::kShown);
  CHECK(s.largest.front().bytes == 30);
  CHECK(s.largest.back().bytes == 11);
  CHECK(s.known == 30);
}

TEST_CASE("a crowd of addresses takes no more memory, and hides no large sender") {
  Senders senders;
  std::int64_t now_ms = 0;
  for (int round = 0; round < 100; ++round) {
    send(senders, "steady", 1'000, 1, ++now_ms);
    for (int i = 0; i < 1'000; ++i)
      send(senders, "crowd-" + std::to_string(1'000 * round + i), 1, 1, ++now_ms);
    if (round == 50) send(senders, "late", 100'000, 1, ++now_ms);
  }
  const SendersSnapshot s = senders.largest();
  CHECK(s.known == Senders::kKnownMax);
  CHECK(s.forgotten == 100'002 - Senders::kKnownMax);
  CHECK(s.largest.at(0).address == "late");
  CHECK(s.largest.at(1).address == "steady");
  CHECK(s.largest.at(1).bytes == 100'000);
  CHECK(s.largest.at(2).bytes == 1);  // its own, not what it took over
}

TEST_CASE("what a sender is told is kept short") {
  Senders senders;
  senders.note({"10.0.0.1", kPlain}, {413, {}, std::string(5'000, 'x')}, 1);
  CHECK(senders.largest().largest.at(0).last_error.size() < 250);
  CHECK(senders.largest().largest.at(0).bytes == 0);
}

}  // namespace
}  // namespace tideover::ingest
