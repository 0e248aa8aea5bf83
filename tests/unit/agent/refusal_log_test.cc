#include "agent/refusal_log.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "agent/log/log.h"
#include "forwarders/answers.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;
using forward::Fate;
using forward::Refusal;

struct Lines {
  Lines() {
    log::configure({.write = [this](std::string_view line) { lines.emplace_back(line); }});
  }
  ~Lines() { log::configure({}); }
  bool hold(std::string_view text) const {
    return lines.size() == 1 && lines[0].find(text) != std::string::npos;
  }
  std::vector<std::string> lines;
};

TEST_CASE("what a receiver refuses is logged at once, in its own words, with how much it is") {
  Lines log;
  RefusalLog refusals("metrics", "thanos");
  refusals.note({Fate::rejected, wal::Reason::bad_request, 3, "HTTP 400: Error: Invalid label name '__x__'"},
                Time{1h});
  CHECK(log.hold("Error: Invalid label name '__x__'"));
  CHECK(log.hold("destination=thanos"));
  CHECK(log.hold("samples=3"));
  CHECK(log.hold("reason=bad_request"));
  CHECK(log.hold("for good"));
}

TEST_CASE("further refusals wait for their minute, and none of them is left out of the sum") {
  Lines log;
  RefusalLog refusals("metrics", "thanos");
  Time now{1h};
  for (int i = 0; i < 180; ++i, now += 1s) {
    refusals.note({Fate::parked, wal::Reason::out_of_bounds, 2, "HTTP 400: too old sample"}, now);
    refusals.write_due(now);
  }
  refusals.write_due(now + 1min);
  CHECK(log.lines.size() <= 4);
  std::uint64_t sum = 0;
  for (const std::string& line : log.lines) sum += std::stoull(line.substr(line.find("samples=") + 8));
  CHECK(sum == 360);
  const std::size_t before = log.lines.size();
  refusals.write_due(now + 1h);
  CHECK(log.lines.size() == before);  // nothing more to say
}

TEST_CASE("what is parked does not hide what is refused for good") {
  Lines log;
  RefusalLog refusals("metrics", "thanos");
  refusals.note({Fate::parked, wal::Reason::out_of_bounds, 2, "HTTP 400: too old sample"}, Time{1h});
  refusals.note({Fate::rejected, wal::Reason::duplicate, 1, "HTTP 400: duplicate"}, Time{1h});
  CHECK(log.lines.size() == 2);
}

TEST_CASE("neither series nor credentials that a receiver quotes come into the log") {
  CHECK(for_log("out of order sample for series {__name__=\"up\", job=\"x\"}, 2 more") ==
        "out of order sample for series {...}, 2 more");
  CHECK(for_log("bad series {a=\"x\"} and {b=\\\"y\\\"}") == "bad series {...} and {...}");
  CHECK(for_log("cut short {__name__=\"up\", jo") == "cut short {...}");
  CHECK(for_log("{\"error\":\"no tenant\"}") == "{\"error\":\"no tenant\"}");
  CHECK(for_log("no such key: Authorization: Bearer abc.def-1, sorry") ==
        "no such key: Authorization: Bearer ***, sorry");
  CHECK(for_log("BASIC dXNlcjpw is wrong") == "BASIC *** is wrong");
  CHECK(for_log("GET /w?token=s3cret&x=1: 403") == "GET /w?token=***&x=1: 403");
  CHECK(for_log("") == "");
  CHECK(for_log("{") == "{");
}

TEST_CASE("a sentence is bounded, and one line whatever it holds") {
  Lines log;
  RefusalLog refusals("metrics", "thanos");
  const http::Response response{400, {}, "a\nb" + std::string(100'000, 'x')};
  refusals.note({Fate::rejected, wal::Reason::bad_request, 1, forward::sentence_of(response)}, Time{1h});
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0].size() < 1'000);
  CHECK(log.lines[0].find('\n') == log.lines[0].npos);
}

}  // namespace
}  // namespace tideover
