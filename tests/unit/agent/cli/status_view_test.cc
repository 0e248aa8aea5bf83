// What an operator reads in the middle of an outage.
#include "agent/cli/status_view.h"

#include <catch2/catch.hpp>

namespace tideover::cli {
namespace {

StatusAnswers outage() {
  return {
      .buildinfo =
          R"({"version":"0.1.0","revision":"abc123","compiler":"GNU 12","format":1,"cluster":"app1","node":"node-7"})",
      .buffer =
          R"({"signals":{"metrics":{"bytes":1288490188,"max_bytes":4294967296,"records":81200,
        "samples":44900000,"bytes_per_sample":28.7,"oldest_timestamp":1800000000.0,"newest_timestamp":1800004320.0,
        "survivable_seconds":11520.0,"refusing":null}},
        "disk":{"store_bytes":1400000000,"free_bytes":21474836480,"size_bytes":42949672960,"floor_bytes":8589934592}})",
      .destinations = R"({"destinations":[
        {"signal":"metrics","name":"thanos","url":"http://t","required":true,"state":"down","since":1800000000.0,
         "last_error":"connection refused","last_success":1799999999.5,"backlog_records":81200,"backlog_samples":44900000,
         "backlog_bytes":1288490188,"oldest_timestamp":1800000000.0,"lag_seconds":4320.0,"replay_samples_per_second":0.0,
         "eta_seconds":null,"parked_samples":0,"quarantined_samples":0},
        {"signal":"metrics","name":"archive","url":"http://a","required":false,"state":"replaying","since":1800004260.0,
         "last_error":null,"last_success":1800004320.0,"backlog_records":10,"backlog_samples":90000,
         "backlog_bytes":250000,"oldest_timestamp":1800004200.0,"lag_seconds":120.0,"replay_samples_per_second":45000.0,
         "eta_seconds":2.0,"parked_samples":1200,"quarantined_samples":0}]})",
      .ledger =
          R"({"metrics":{"thanos":{"accepted":45000012,"delivered":100000,"rejected":{"out_of_order":12},"dropped":{},
        "queued":44900000,"parked":0,"quarantined":0,"in_balance":true,"probable_duplicates":0}}})"};
}

TEST_CASE("the table of an outage answers: how long, how much, and does the account close") {
  const auto table = status_table(outage(), 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(*table == R"(tideover 0.1.0 (abc123) on node-7 of app1

metrics: 1.2 GiB of 4.0 GiB used (30%), 44.9 M samples in 81.2 k records, oldest 1h12m
  survives an outage of 3h12m
disk: 1.3 GiB taken, 20.0 GiB free, 8.0 GiB to be left free

destination      state    for  backlog    bytes  oldest  samples/s  done in  parked
thanos            down  1h12m   44.9 M  1.2 GiB   1h12m          -        -       0
archive      replaying  1m00s   90.0 k  244 KiB   2m00s     45.0 k     2.0s   1.2 k
thanos: last error: connection refused (last success: 1h12m ago)

ledger of metrics, in samples
thanos: accepted 45,000,012 = delivered 100,000 + rejected 12 + dropped 0 + queued 44,900,000: in balance
  rejected: 12 (out_of_order)
)");
}

std::string senders(int others) {
  std::string list =
      R"({"senders":[{"signal":"metrics","address":"10.0.0.7","requests":1200,"samples":600000,"bytes":9000000,
      "refused":3,"last_error":"503 the buffer is full","last_error_timestamp":1800004300.0,
      "last_request_timestamp":1800004318.0,"tenant_headers":{"X-Scope-OrgID":1150}})";
  for (int i = 0; i < others; ++i)
    list += R"(,{"signal":"metrics","address":"10.0.0.)" + std::to_string(8 + i) +
            R"(","requests":2,"samples":10,"bytes":2048,"refused":0,"last_error":null,
            "last_error_timestamp":null,"last_request_timestamp":1800004200.0,"tenant_headers":{}})";
  return list + R"(],"known":30,"forgotten":0})";
}

TEST_CASE("several senders are shown, the largest first, with what each was told last") {
  auto answers = outage();
  answers.senders = senders(1);
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CAPTURE(*table);
  CHECK(table->find(R"(
sender    requests  samples    bytes  refused  last request
10.0.0.7     1.2 k    600 k  8.6 MiB        3          2.0s
10.0.0.8         2       10  2.0 KiB        0         2m00s
10.0.0.7: last error: 503 the buffer is full (20s ago)
10.0.0.7: 1,150 of its requests name a tenant in X-Scope-OrgID, which is NOT PASSED ON
and 28 smaller ones

ledger of)") != std::string::npos);
}

TEST_CASE("of a sender alone only the tenant is said that is not passed on") {
  auto answers = outage();
  answers.senders = senders(0);
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(table->find("sender  ") == std::string::npos);
  CHECK(table->find("10.0.0.7: 1,150 of its requests name a tenant in X-Scope-OrgID") != std::string::npos);
  const auto json = status_json(answers);
  REQUIRE(json.has_value());
  CHECK(json->find("\"address\":\"10.0.0.7\"") != std::string::npos);
  CHECK(status_json(outage())->find("senders") == std::string::npos);  // of an older agent
}

TEST_CASE("an agent that refuses samples says so first, with its reason") {
  auto answers = outage();
  const auto at = answers.buffer.find("null}}");
  answers.buffer.replace(at, 4, "\"the buffer is full\"");
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(table->find("REFUSING new samples: the buffer is full") != std::string::npos);
}

TEST_CASE("an agent that takes nothing in says why, before anything else") {
  auto answers = outage();
  answers.buffer =
      R"({"ready":false,"not_ready_because":"the store cannot be opened yet: no","signals":{},"disk":null})";
  answers.destinations = R"({"destinations":[]})";
  answers.ledger = "{}";
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(table->find("\n\nNOT READY: the store cannot be opened yet: no\n") != std::string::npos);
}

TEST_CASE("a disk with places that cannot be read is said to be one") {
  auto answers = outage();
  answers.buffer.replace(answers.buffer.find("\"floor_bytes\""), 0, "\"unreadable_pages\":3,");
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(table->find("\n  3 places of it CANNOT BE READ: ") != std::string::npos);
}

TEST_CASE("a ledger that does not close is not hidden, whatever the agent says of itself") {
  auto answers = outage();
  answers.ledger.replace(answers.ledger.find("45000012"), 8, "45000013");
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(table->find("NOT IN BALANCE, 45,000,012 accounted for") != std::string::npos);
}

TEST_CASE("everything that left an account is part of its sum: delivered, rejected, dropped, queued") {
  auto answers = outage();
  answers.ledger =
      R"({"metrics":{"thanos":{"accepted":11110,"delivered":10000,"rejected":{"duplicate":400,"bad_request":600},
      "dropped":{"budget":70,"operator":30},"queued":10,"parked":3,"quarantined":2,"in_balance":true}}})";
  const auto table = status_table(answers, 0);
  REQUIRE(table.has_value());
  CHECK(table->find(
            "accepted 11,110 = delivered 10,000 + rejected 1,000 + dropped 100 + queued 10: in balance") !=
        std::string::npos);
  CHECK(table->find("  dropped: 70 (budget)\n  dropped: 30 (operator)\n") != std::string::npos);
}

TEST_CASE("what a receiver answered cannot steer the terminal") {
  auto answers = outage();
  answers.destinations.replace(answers.destinations.find("connection refused"), 18,
                               "\\u001b[2Jgone\\nthanos: fine");
  const auto table = status_table(answers, 1800004320.0);
  REQUIRE(table.has_value());
  CHECK(table->find('\x1b') == std::string::npos);
  CHECK(table->find("\nthanos: fine") == std::string::npos);
}

TEST_CASE("an answer of another version is an error, not a crash") {
  for (auto part : {&StatusAnswers::buildinfo, &StatusAnswers::buffer, &StatusAnswers::destinations,
                    &StatusAnswers::ledger}) {
    for (const auto* body : {"", "{}x", "[]", R"({"signals":{"metrics":{}}})", R"({"destinations":[{}]})",
                             R"({"metrics":{"a":1}})"}) {
      auto answers = outage();
      answers.*part = body;
      const auto table = status_table(answers, 0);
      if (!table.has_value()) CHECK(table.error().code == Errc::bad_input);
    }
  }
  auto answers = outage();
  answers.buffer = "{}";
  CHECK_FALSE(status_table(answers, 0).has_value());
}

TEST_CASE("JSON for scripts carries each answer untouched") {
  const auto text = status_json(outage());
  REQUIRE(text.has_value());
  CHECK(text->find(R"("buildinfo":{"version":"0.1.0")") != std::string::npos);
  CHECK(text->find(R"("ledger":{"metrics":{"thanos":{"accepted":45000012)") != std::string::npos);
  CHECK(text->back() == '\n');
}

}  // namespace
}  // namespace tideover::cli
