#include "agent/ingest/loki/head.h"

#include <catch2/catch.hpp>

namespace tideover::ingest::loki {
namespace {

std::string kind_of(const http::Headers& headers) {
  const auto body = body_of(headers);
  if (!body) return body.error().detail;
  static constexpr const char* kPackings[] = {"", " gzip", " deflate"};
  return (body->json ? "json" : "protobuf") + std::string(kPackings[static_cast<int>(body->packing)]);
}

TEST_CASE("a push is JSON when it says so, and protobuf otherwise, as for Loki") {
  CHECK(kind_of({{"Content-Type", "application/json"}}) == "json");
  CHECK(kind_of({{"Content-Type", "Application/JSON; charset=utf-8"}}) == "json");
  CHECK(kind_of({{"Content-Type", "application/x-protobuf"}}) == "protobuf");
  CHECK(kind_of({{"Content-Type", "text/plain"}}) == "protobuf");
  CHECK(kind_of({}).find("mime: no media type") == 0);
  CHECK(kind_of({{"Content-Type", " ; charset=utf-8"}}).find("mime: no media type") == 0);
}

TEST_CASE("a push may be packed with gzip or deflate, and with nothing else") {
  const auto packed = [](const char* type, const char* encoding) {
    return kind_of({{"Content-Type", type}, {"Content-Encoding", encoding}});
  };
  CHECK(packed("application/json", "gzip") == "json gzip");
  CHECK(packed("application/json", "GZIP") == "json gzip");
  CHECK(packed("application/json", "deflate") == "json deflate");
  CHECK(packed("application/json", "snappy") == "json");
  CHECK(packed("application/x-protobuf", "snappy") == "protobuf");
  CHECK(packed("application/x-protobuf", "gzip") == "protobuf gzip");
  CHECK(packed("application/x-protobuf", "zstd").find("\"zstd\" not supported") != std::string::npos);
  CHECK(packed("application/json", "gzip, gzip").find("not supported") != std::string::npos);
}

TEST_CASE("a tenant's name follows Loki's rules") {
  const auto tenant = [](const std::string& name) {
    const http::Headers headers{{"x-scope-orgid", name}};  // the result borrows from them
    const auto found = tenant_of(headers);
    return found ? "taken: " + std::string(*found) : found.error().detail;
  };
  for (const std::string name : {"", "team-a", "A1!-_.*'()", "...", ".a"})
    CHECK(tenant(name) == "taken: " + name);
  CHECK(tenant(std::string(150, 'a')) == "taken: " + std::string(150, 'a'));
  CHECK(tenant(std::string(151, 'a')) == "tenant ID is too long: max 150 characters");
  CHECK(tenant(".") == "tenant ID is '.' or '..'");
  CHECK(tenant("..") == "tenant ID is '.' or '..'");
  CHECK(tenant("a|b") == "multiple org IDs present");
  for (const char* name : {"a/b", "a b", "a:b", "a\\b", "ä", "a\x01"})
    CHECK(tenant(name).find("contains unsupported character") != std::string::npos);
  CHECK(tenant_of({}).value().empty());
}

}  // namespace
}  // namespace tideover::ingest::loki
