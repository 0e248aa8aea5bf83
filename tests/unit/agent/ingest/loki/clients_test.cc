// Requests of real kinds of clients (tests/data/loki_push): taken, and kept to the last bit.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/agent/ingest/loki/fixture.h"

namespace tideover::ingest::loki {
namespace {

using test::PushedStreams;

std::string file(const std::string& name) {
  std::ifstream in(TIDEOVER_TEST_DATA "/loki_push/" + name, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

http::Headers headers_of(const std::string& text) {
  http::Headers headers;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t colon = text.find(": ", at);
    const std::size_t end = text.find('\n', at);
    headers.add(text.substr(at, colon - at), text.substr(colon + 2, end - colon - 2));
    at = end + 1;
  }
  return headers;
}

// The fixtures are of 2025-11-29: no limit of age.
struct Client {
  Client() : f(Limits{.age_max = std::chrono::seconds(0)}) {}

  PushedStreams send(const std::string& name, const std::string& tenant = {}) {
    const http::Response response = f.post(headers_of(file(name + ".headers")), file(name + ".body"));
    INFO(name << ": " << response.body);
    CHECK(response.status == 204);
    CHECK(f.lanes.size() == 1);
    return f.stored(tenant);
  }

  test::PushFixture f;
};

constexpr std::int64_t kSix = 1'764'396'000'000'000'000;  // 2025-11-29T06:00:00Z

TEST_CASE("Promtail's pushes are kept as they came") {
  CHECK(Client().send("promtail") ==
        PushedStreams{
            {R"({app="api", container="server", filename="/var/log/pods/shop_api-7d9f_5f2c/server/0.log", )"
             R"(job="shop/api", namespace="shop", node_name="node-1", pod="api-7d9f", stream="stdout"})",
             {{kSix + 123'456'789, R"(level=info msg="order taken" id=4711)", {}},
              {kSix + 987'654'321, R"(level=warn msg="slow ü" ms=812)", {}}}},
            {R"({filename="/var/log/syslog", job="varlogs"})",
             {{kSix + 1'000'000'005, "Nov 29 06:00:01 node-1 systemd[1]: Started.", {}}}}});
  CHECK(Client().send("promtail_tenant", "team-a") ==
        PushedStreams{{R"({job="varlogs"})", {{kSix + 1'000'000'000, "one line", {}}}}});
}

TEST_CASE("Alloy's pushes keep their structured metadata, and lines of one time their order") {
  CHECK(Client().send("alloy") ==
        PushedStreams{{R"({instance="node-1", job="loki.source.file.pods", service_name="api"})",
                       {{kSix + 1,
                         R"({"level":"info","msg":"order taken"})",
                         {{"pod", "api-7d9f"}, {"trace_id", "0af7651916cd43dd8448eb211c80319c"}}},
                        {kSix + 1, R"({"level":"info","msg":"order shipped"})", {{"pod", "api-7d9f"}}}}}});
}

TEST_CASE("Fluent Bit's pushes in JSON are kept as they came, plain and packed") {
  const PushedStreams expected{
      {R"({job="fluent-bit", k8s_namespace_name="shop"})",
       {{kSix + 123'456'789,
         R"({"date":1764396000.123457,"log":"order \"4711\" taken","stream":"stdout"})",
         {}},
        {kSix + 123'456'790, R"({"log":"größe"})", {{"pod", "api-7d9f"}, {"container", "server"}}}}}};
  CHECK(Client().send("fluent_bit") == expected);
  CHECK(Client().send("fluent_bit_gzip", "team-a") == expected);
}

TEST_CASE("Telegraf's pushes in packed JSON are kept as they came") {
  CHECK(Client().send("telegraf", "metrics-team") ==
        PushedStreams{
            {R"({__name="tail", host="node-1", path="/var/log/app.log"})",
             {{kSix, R"(message="order taken")", {}},
              {kSix + 1'000'000'000, R"(message="order shipped" code="200")", {}}}},
            {R"({__name="syslog", host="node-1"})", {{kSix + 500'000'000, R"(message="started")", {}}}}});
}

}  // namespace
}  // namespace tideover::ingest::loki
