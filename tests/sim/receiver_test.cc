// The model receiver against the answers seen from real ones.
#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "tests/support/receiver_model.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;
using remote_write::Version;
using test::WriteRequest;

constexpr std::int64_t kNow = 1'767'225'600'000;
constexpr std::int64_t kHour = 3'600'000;

struct Witness final : ReceiverWitness {
  std::map<Sample, int> stored_samples;
  std::vector<Refused> refusals;
  int seen_samples = 0;

  void seen(const Sample&) override { ++seen_samples; }
  void stored(const Sample& sample) override { ++stored_samples[sample]; }
  void refused(const Sample&, Refused why) override { refusals.push_back(why); }
  void swallowed(const Sample&) override { refusals.push_back(Refused::duplicate); }
};

struct Fixture {
  boost::asio::io_context io;
  SimClock clock{io};
  SeriesTable names;
  Witness witness;
  FaultCounts happened;
  ReceiverModel receiver{clock, Rng(1), names, witness, happened};

  http::Response post(const WriteRequest& message, Version version = Version::v1) {
    http::Request request{.method = "POST", .target = "/api/v1/receive", .headers = {}, .body = {}};
    request.headers.add("X-Prometheus-Remote-Write-Version", version == Version::v2 ? "2.0.0" : "0.1.0");
    request.body = test::snappy_block(message.encode(version));
    return receiver.receive(request);
  }
  http::Response post(std::int64_t ts, double value, const std::string& name = "up") {
    return post(WriteRequest().series({{"__name__", name}}).sample(ts, value));
  }
};

TEST_CASE("Thanos answers 200, and the same sample again is 200") {
  Fixture f;
  CHECK(f.post(kNow, 1).status == 200);
  CHECK(f.post(kNow, 1).status == 200);
  CHECK(f.witness.stored_samples.size() == 1);
}

TEST_CASE("Thanos refuses another value at a stored timestamp, and names the count") {
  Fixture f;
  f.post(kNow, 1);
  const http::Response response = f.post(kNow, 2);
  CHECK(response.status == 409);
  CHECK_THAT(response.body, Catch::Contains("add 1 samples: duplicate sample for timestamp"));
}

TEST_CASE("without a window, samples an hour behind the head are out of bounds even for a fresh series") {
  Fixture f;
  f.receiver.advance_head(kNow);
  const http::Response response = f.post(kNow - kHour - 1, 1);
  CHECK(response.status == 409);
  CHECK_THAT(response.body, Catch::Contains("add 1 samples: out of bounds"));
  CHECK(f.post(kNow - kHour, 1).status == 200);
}

TEST_CASE("without a window, a sample behind its own series is out of order") {
  Fixture f;
  f.post(kNow, 1);
  const http::Response response = f.post(kNow - 1, 1);
  CHECK(response.status == 409);
  CHECK_THAT(response.body, Catch::Contains("add 1 samples: out of order sample"));
}

TEST_CASE("with a window, what is inside is stored and what is outside is too old") {
  Fixture f;
  f.receiver.set_rules({.out_of_order_window = 4h});
  f.post(kNow, 1);
  CHECK(f.post(kNow - 4 * kHour, 1).status == 200);
  const http::Response response = f.post(kNow - 4 * kHour - 1, 1);
  CHECK(response.status == 409);
  CHECK_THAT(response.body, Catch::Contains("add 1 samples: too old sample"));
}

TEST_CASE("Thanos stores the valid rest of a request that it answers 409") {
  Fixture f;
  f.post(kNow, 1, "a");
  const http::Response response = f.post(
      WriteRequest().series({{"__name__", "a"}}).sample(kNow, 2).series({{"__name__", "b"}}).sample(kNow, 2));
  CHECK(response.status == 409);
  CHECK(f.witness.stored_samples.size() == 2);
}

TEST_CASE("Thanos 0.42 answers 200 to version 2.0 and stores nothing") {
  Fixture f;
  const http::Response response =
      f.post(WriteRequest().series({{"__name__", "up"}}).sample(kNow, 1), Version::v2);
  CHECK(response.status == 200);
  CHECK_FALSE(response.headers.has("X-Prometheus-Remote-Write-Samples-Written"));
  CHECK(f.witness.stored_samples.empty());
  CHECK(f.witness.seen_samples == 1);
}

TEST_CASE("Prometheus stores version 2.0 and counts what it wrote") {
  Fixture f;
  f.receiver.set_rules({.kind = ReceiverRules::Kind::prometheus_3});
  const http::Response response =
      f.post(WriteRequest().series({{"__name__", "up"}}).sample(kNow, 1).sample(kNow + 1, 1), Version::v2);
  CHECK(response.status == 204);
  CHECK(response.headers.find("X-Prometheus-Remote-Write-Samples-Written") == "2");
  CHECK(f.witness.stored_samples.size() == 2);
}

TEST_CASE("Prometheus takes a message of version 1.0 whole or not at all") {
  Fixture f;
  f.receiver.set_rules({.kind = ReceiverRules::Kind::prometheus_3});
  f.post(kNow, 1, "a");
  const http::Response response = f.post(WriteRequest()
                                             .series({{"__name__", "a"}})
                                             .sample(kNow - 1, 2)
                                             .series({{"__name__", "b"}})
                                             .sample(kNow, 2));
  CHECK(response.status == 400);
  CHECK_THAT(response.body, Catch::StartsWith("out of order sample"));
  CHECK(f.witness.stored_samples.size() == 1);
}

TEST_CASE("unsorted labels are refused by Thanos") {
  Fixture f;
  const http::Response response =
      f.post(WriteRequest().series({{"job", "x"}, {"__name__", "up"}}).sample(kNow, 1));
  CHECK(response.status == 409);
  CHECK_THAT(response.body, Catch::Contains("out of order labels"));
  CHECK(f.witness.stored_samples.empty());
}

TEST_CASE("a restarting receiver is not ready, and keeps its head unless its disk is lost") {
  Fixture f;
  f.post(kNow, 1);
  f.receiver.restart(f.clock.now() + 10s, false);
  CHECK(f.post(kNow + 1, 1).status == 503);
  f.clock.run_for(10s);
  CHECK(f.post(kNow, 2).status == 409);
  f.receiver.restart(f.clock.now(), true);
  CHECK(f.post(kNow, 2).status == 200);
}

}  // namespace
}  // namespace tideover::sim
