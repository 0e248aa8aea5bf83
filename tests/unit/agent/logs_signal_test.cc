// The logs signal from a client's push to Loki: what arrives, what is refused, and what it says of itself.
#include "agent/logs_signal.h"

#include "agent/admin/metrics_page.h"
#include "forwarders/loki/push_scan.h"
#include "tests/unit/agent/signal_life.h"

namespace tideover {
namespace {

const std::string kLoki = "http://loki:1/";
const std::string kPath = "/loki/api/v1/push";

std::string file_with(const std::string& more = {}) {
  return "cluster: a\nlogs:\n  listen: 127.0.0.1:0\n  destinations:\n    - {name: loki, url: '" + kLoki +
         "'" + more + "}\n";
}

// Every line that came to it, with its labels and time, in the order in which they came.
std::vector<std::string> lines_of(const Mgmt& mgmt) {
  struct Lines {
    std::vector<std::string> all;
    std::string labels;
    void stream(std::string_view name) { labels = name; }
    void entry(std::int64_t ns, std::string_view line, std::string_view) {
      all.push_back(labels + " " + std::to_string(ns) + " " + std::string(line));
    }
  } lines;
  for (const http::Request& request : mgmt.requests)
    REQUIRE(loki::scan_push(test::snappy_plain(request.body), lines).has_value());
  return lines.all;
}

TEST_CASE("lines that are pushed arrive at Loki as they were, once each and in order") {
  wal::MemStore disk;
  SignalLife life(disk, file_with());
  life.mgmt[kLoki].answer(204);
  REQUIRE(life.post(kPath, life.push_of(3, 0)).status == 204);
  const std::int64_t ns = to_unix_ms(life.clock.wall_now()) * 1'000'000;
  life.clock.run_for(10s);
  const std::vector<std::string> got = lines_of(life.mgmt[kLoki]);
  REQUIRE(got.size() == 3);
  for (int i = 0; i < 3; ++i) {
    CAPTURE(got[static_cast<std::size_t>(i)], ns);
    CHECK(got[static_cast<std::size_t>(i)].starts_with(R"({app="shop"} )"));
    CHECK(got[static_cast<std::size_t>(i)].ends_with(" line " + std::to_string(i) + " "));
  }
  const admin::DestinationSnapshot d = life.destination("loki");
  CHECK(d.account.accepted == 3);
  CHECK(d.account.ledger.delivered == 3);
  CHECK(d.account.in_balance());
}

TEST_CASE("lines wait for Loki on disk, and outlive the agent") {
  wal::MemStore disk;
  std::map<std::string, Mgmt> mgmt;
  {
    SignalLife life(disk, file_with());
    life.mgmt[kLoki].answer(503);
    for (int i = 0; i < 5; ++i) REQUIRE(life.post(kPath, life.push_of(2, 0)).status == 204);
    life.clock.run_for(1min);
    CHECK(life.destination("loki").account.waiting == 10);
    disk.crash();
  }
  SignalLife life(disk, file_with());
  life.clock.run_for(2min);
  CHECK(lines_of(life.mgmt[kLoki]).size() == 10);
  CHECK(life.destination("loki").account.in_balance());
}

TEST_CASE("lines of another tenant than the destinations' are kept by their client, which is told why") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(", tenant: blue"));
  const auto from = [&](const std::string& tenant) {
    return life.post(kPath, life.push_of(1, 0), "application/x-protobuf",
                     "X-Scope-OrgID: " + tenant + "\r\n");
  };
  CHECK(from("blue").status == 204);
  const http::Response refused = from("red");
  CHECK(refused.status == 503);
  CHECK(refused.body.find("red") != std::string::npos);
  CHECK(refused.body.find("loki is for blue") != std::string::npos);
  life.clock.run_for(10s);
  CHECK(lines_of(life.mgmt[kLoki]).size() == 1);
  CHECK(life.mgmt[kLoki].requests.at(0).headers.find("X-Scope-OrgID") == "blue");
}

TEST_CASE("lines of a pod's files arrive with its labels, once each, also over a power cut") {
  wal::MemStore disk;
  const std::string yaml =
      "cluster: app1\nnode: n7\nlogs:\n  listen: 127.0.0.1:0\n  files: [/pods/*/*/*.log]\n  destinations:\n  "
      "  - {name: "
      "loki, url: '" +
      kLoki + "'}\n";
  const std::string directory = "/pods/shop_web-0_uid-1/app";
  const auto text = [](int from, int until) {
    std::string all;
    for (int i = from; i < until; ++i)
      all +=
          "2026-11-29T10:00:00.00000000" + std::to_string(i) + "Z stdout F line " + std::to_string(i) + "\n";
    return all;
  };
  std::vector<std::string> arrived;
  {
    SignalLife life(disk, yaml);
    life.files->make_directories(directory);
    life.files->append(directory + "/0.log", text(0, 3));
    life.clock.run_for(10s);
    arrived = lines_of(life.mgmt[kLoki]);
    const auto files = life.signal->describe().files;
    REQUIRE(files);
    CHECK(files->total.spooled == 3);
    CHECK(files->total.lag_bytes == 0);
    REQUIRE(files->largest.size() == 1);
    CHECK(files->largest[0].path == "shop_web-0_uid-1/app");
    disk.crash();
  }
  SignalLife life(disk, yaml);
  life.files->make_directories(directory);
  life.files->append(directory + "/0.log", text(0, 5));  // as it was, and two more
  life.clock.run_for(10s);
  for (const std::string& line : lines_of(life.mgmt[kLoki])) arrived.push_back(line);
  REQUIRE(arrived.size() == 5);
  for (int i = 0; i < 5; ++i)
    CHECK(arrived[static_cast<std::size_t>(i)].ends_with("line " + std::to_string(i)));
  const std::string labels =
      R"({cluster="app1", container="app", job="shop/app", namespace="shop", node="n7", pod="web-0", stream="stdout"} )";
  CHECK(arrived[4].starts_with(labels));
  CHECK(life.destination("loki").account.in_balance());
}

TEST_CASE("a process that may open few files keeps few of logs open, and reads all") {
  wal::MemStore disk;
  NodeFacts node;
  const bool few = GENERATE(false, true);
  if (few) node.descriptors = 256;
  SignalLife life(
      disk,
      "cluster: a\nnode: n\nlogs:\n  files: [/pods/*/*/*.log]\n  destinations:\n    - {name: loki, url: '" +
          kLoki + "'}\n",
      node);
  for (int i = 0; i < 60; ++i) {
    const std::string directory =
        "/pods/shop_web-" + std::to_string(i) + "_uid-" + std::to_string(i) + "/app";
    life.files->make_directories(directory);
    life.files->append(directory + "/0.log", "2026-11-29T10:00:00.000000001Z stdout F hello\n");
  }
  life.clock.run_for(20s);
  const tail::Tally total = life.signal->describe().files->total;
  CHECK(total.spooled == 60);
  CHECK(total.open_files <= life.settings.log_files_open);
  CHECK((total.open_files == 60) == !few);
}

TEST_CASE("what comes in and what is refused of it stands on the metrics page") {
  wal::MemStore disk;
  SignalLife life(disk, file_with());
  REQUIRE(life.post(kPath, life.push_of(4, 0)).status == 204);
  loki::PushWriter mixed;  // a line of now, and one of 1970
  mixed.stream(R"({app="shop"})");
  mixed.entry(1, "old", std::string_view());
  mixed.entry(to_unix_ms(life.clock.wall_now()) * 1'000'000, "new", std::string_view());
  CHECK(life.post(kPath, test::snappy_block(mixed.take())).status == 400);
  CHECK(life.post(kPath, "not snappy").status == 400);
  const std::string page = admin::metrics_page(life.snapshot(), {});
  const auto shows = [&](const std::string& series) { return page.find("\n" + series + "\n") != page.npos; };
  CHECK(shows(R"(tideover_push_requests_total{format="protobuf",answer="stored",code="204"} 1)"));
  CHECK(shows(R"(tideover_push_requests_total{format="protobuf",answer="partly_stored",code="400"} 1)"));
  CHECK(shows(R"(tideover_push_requests_total{format="protobuf",answer="undecodable",code="400"} 1)"));
  CHECK(shows("tideover_push_lines_total 5"));
  CHECK(shows(R"(tideover_push_refused_lines_total{reason="greater_than_max_sample_age"} 1)"));
  CHECK(shows(R"(tideover_ledger_accepted_samples_total{signal="logs",destination="loki"} 5)"));
}

}  // namespace
}  // namespace tideover
