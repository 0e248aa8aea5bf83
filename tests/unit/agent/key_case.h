// A key of the configuration, a file with one value of it and one with another, and what its part does then.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "agent/config/schema.h"
#include "tests/unit/agent/signal_life.h"

namespace tideover {

// What is written beside the least that a file needs, by place.
struct File {
  std::string top = {};
  std::string signal = {};
  std::string destination = {};
  std::string name = "thanos";
  std::string url = "http://mgmt:1/api";
  std::string section = "metrics";

  std::string text() const {
    return "cluster: a\n" + top + section + ":\n" + signal + "  destinations:\n    - name: " + name +
           "\n      url: " + url + "\n" + destination;
  }
};

struct Agent {
  explicit Agent(const File& file) : life(disk, file.text()) {}

  // The only destination's transport, its options, and what was sent to it.
  const http::TransportOptions& transport() const { return life.reached.at(0); }
  http::Request sent() {
    REQUIRE(life.write(3).has_value());
    life.clock.run_for(10s);
    return life.mgmt[transport().url].requests.at(0);
  }
  // Its receiver is away: how many requests of 200 kB intake takes.
  int taken_while_away(int at_most) {
    life.mgmt[transport().url].answer(503);
    int taken = 0;
    while (taken < at_most && post(200'000) == 204) {
      ++taken;
      life.clock.run_for(5s);
    }
    return taken;
  }
  // A request of about so many bytes, which do not compress. Its status.
  int post(std::size_t bytes) {
    if (life.config.metrics) return life.post("/api/v1/write", noise(bytes)).status;
    return life.post("/loki/api/v1/push", life.push_of(1, bytes)).status;
  }

  wal::MemStore disk;
  SignalLife life;
};

struct Case {
  std::string key;
  File first;
  File second;
  std::function<std::string(Agent&)> shows;  // none: where a new destination begins
  std::string expect_first;
  std::string expect_second;
};

inline std::string number(std::uint64_t n) { return std::to_string(n); }

// Whether a destination that is new begins behind what is in the buffer already, or at it.
inline std::string begins_at(const File& file) {
  wal::MemStore disk;
  {
    File before{.name = "other", .url = "http://other:1/"};
    before.section = file.section;
    SignalLife life(disk, before.text());
    life.mgmt["http://other:1/"].answer(503);
    REQUIRE(life.write(5).has_value());
  }
  SignalLife life(disk, file.text());
  return number(life.destination().behind.units);
}

inline void check_cases(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    DYNAMIC_SECTION("reaches its part: " << c.key) {
      for (const auto& [file, expected] :
           {std::pair(c.first, c.expect_first), std::pair(c.second, c.expect_second)}) {
        CAPTURE(file.text());
        if (c.shows) {
          Agent agent(file);
          CHECK(c.shows(agent) == expected);
        } else {
          CHECK(begins_at(file) == expected);
        }
      }
    }
  }
}

// The keys of these cases, and the sections that they are in.
inline std::set<std::string> known_keys(const std::vector<Case>& cases) {
  std::set<std::string> known;
  for (const Case& c : cases)
    for (std::string key = c.key;; key.resize(key.find_last_of('.'))) {
      known.insert(key);
      known.insert(key.ends_with("[]") ? key.substr(0, key.size() - 2) : key);
      if (key.find('.') == key.npos) break;
    }
  return known;
}

inline std::set<std::string> keys_of_the_schema() {
  std::set<std::string> keys;
  for (const auto& key : config::schema())
    for (const config::Row& row : key.rows) keys.insert(row.path);
  return keys;
}

}  // namespace tideover
