#include "agent/ingest/negotiation.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::ingest {
namespace {

using remote_write::Version;

std::string outcome(const http::Headers& headers) {
  const auto version = negotiate(headers);
  if (!version) return version.error().detail;
  return *version == Version::v1 ? "1.0" : "2.0";
}

TEST_CASE("the message is chosen by Content-Type as Prometheus' receiver chooses it") {
  const auto type = [](const char* value) {
    return outcome({{"Content-Type", value}, {"Content-Encoding", "snappy"}});
  };
  CHECK(type("application/x-protobuf") == "1.0");
  CHECK(type("application/x-protobuf;proto=prometheus.WriteRequest") == "1.0");
  CHECK(type("application/x-protobuf;proto=io.prometheus.write.v2.Request") == "2.0");
  CHECK(type("application/x-protobuf; proto=io.prometheus.write.v2.Request") == "2.0");
  CHECK(type("Application/X-Protobuf ; charset=x ; Proto = io.prometheus.write.v2.Request") == "2.0");
  CHECK(type("") == "1.0");
  CHECK(type("application/json") ==
        "Content-Type application/json is not supported: send application/x-protobuf");
  CHECK(type("application/x-protobuf;proto;x=;protocol=1") == "1.0");  // none of them is `proto`
  CHECK(type("application/x-protobuf;") == "1.0");
  CHECK(type("application/x-protobu") != "1.0");
  CHECK(type("application/x-protobuf;proto=some.Other") ==
        "the message some.Other is not supported: send prometheus.WriteRequest or "
        "io.prometheus.write.v2.Request");
}

TEST_CASE("only snappy is an encoding, whatever the case it is written in") {
  CHECK(outcome({{"Content-Encoding", "Snappy"}}) == "1.0");
  CHECK(outcome({{"Content-Encoding", " \t"}}) == "1.0");
  CHECK(outcome({{"Content-Encoding", " snappy "}}) == "1.0");
  CHECK(outcome({}) == "1.0");
  CHECK(outcome({{"Content-Encoding", "gzip"}}) ==
        "Content-Encoding gzip is not supported: send snappy (block format)");
}

TEST_CASE("a header value is quoted short and without control bytes") {
  const std::string answer = outcome({{"Content-Type", std::string(500, 'x') + "\n"}});
  CHECK(answer.size() < 200);
  CHECK(outcome({{"Content-Type", "a\r\nb"}}).find('\n') == std::string::npos);
  CHECK(outcome({{"Content-Type", "a b~\x7f\x80"}}) ==
        "Content-Type a b~?? is not supported: send application/x-protobuf");
}

}  // namespace
}  // namespace tideover::ingest
