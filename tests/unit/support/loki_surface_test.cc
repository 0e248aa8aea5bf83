#include "tests/support/loki_surface.h"

#include <catch2/catch.hpp>
#include <snappy.h>
#include <zlib.h>

namespace tideover::test {
namespace {

constexpr std::int64_t kNow = 1'795'219'200'000'000'000;
const std::string kJson =
    R"({"streams":[{"stream":{"app":"a"},"values":[["1795219200000000000","one",{"k":"v"}]]}]})";

std::string snappied(const std::string& plain) {
  std::string out;
  snappy::Compress(plain.data(), plain.size(), &out);
  return out;
}

std::string gzipped(std::string plain) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

struct Server {
  http::Response push(const std::string& body, const std::string& type, const std::string& encoding = "") {
    http::Request request{"POST", "/loki/api/v1/push", {{"X-Scope-OrgID", "t1"}}, body};
    if (!type.empty()) request.headers.add("Content-Type", type);
    if (!encoding.empty()) request.headers.add("Content-Encoding", encoding);
    return surface.answer(request, kNow);
  }
  http::Response ask(const char* method, const char* path, const std::string& body = "") {
    return surface.answer({method, path, {}, body}, kNow);
  }
  LokiSurface surface;
};

TEST_CASE("every form of a push that Loki takes is taken, and read back the same") {
  const std::string protobuf = written_by_generated_code({{"{app=\"a\"}", {{kNow, "one", {{"k", "v"}}}}}});
  Server loki;
  const auto form = GENERATE(0, 1, 2, 3, 4);
  const http::Response answer = form == 0   ? loki.push(snappied(protobuf), "application/x-protobuf")
                                : form == 1 ? loki.push(snappied(protobuf), "text/plain", "snappy")
                                : form == 2
                                    ? loki.push(gzipped(snappied(protobuf)), "application/x-protobuf", "gzip")
                                : form == 3 ? loki.push(kJson, "application/json; charset=utf-8")
                                            : loki.push(gzipped(kJson), "application/json", "gzip");
  CHECK(answer.status == 204);
  CHECK(loki.ask("GET", "/model/lines").body ==
        "{\"tenant\":\"t1\",\"labels\":\"{app=\\\"a\\\", "
        "service_name=\\\"a\\\"}\",\"ts\":\"1795219200000000000\","
        "\"metadata\":[[\"k\",\"v\"]],\"line\":\"b25l\"}\n");
}

TEST_CASE("bodies that Loki cannot read are 400, and nothing is stored") {
  Server loki;
  CHECK(loki.push(kJson, "").status == 400);
  CHECK(loki.push(kJson, "application/json", "zstd").status == 400);
  CHECK(loki.push("xx", "application/json", "gzip").status == 400);
  CHECK(loki.push("\xff\xff\xff nonsense", "application/x-protobuf").status == 400);
  CHECK(loki.push(snappied("\x0a\xff\xff"), "application/x-protobuf").status == 400);
  CHECK(loki.push("{", "application/json").status == 400);
  CHECK(loki.ask("GET", "/model/lines").body.empty());
}

TEST_CASE("limits and faults are set by name at run time") {
  Server loki;
  CHECK(loki.ask("POST", "/model/mode", R"({"max_line_size": 2, "delay_ms": 5})").status == 204);
  CHECK(loki.surface.faults().delay_ms == 5);
  CHECK(loki.push(kJson, "application/json").status == 400);
  CHECK(loki.ask("GET", "/model/discarded").body ==
        "{\"answered\":{\"line_too_long\":1},\"silent\":{},\"duplicates\":0}\n");
  CHECK(
      loki.ask("POST", "/model/mode", R"({"max_line_size": 0, "block_ingestion_status_code": 260})").status ==
      204);
  CHECK(loki.push(kJson, "application/json").status == 260);
  CHECK(loki.ask("POST", "/model/mode", R"({"max_lines": 2})").status == 400);
  CHECK(loki.ask("POST", "/model/mode", R"({"down": "yes"})").status == 400);
  CHECK(loki.ask("POST", "/model/mode", "x").status == 400);
}

TEST_CASE("down stores nothing, and an answer that is lost behind a 500 does") {
  Server loki;
  CHECK(loki.ask("POST", "/model/mode", R"({"down": true})").status == 204);
  CHECK(loki.push(kJson, "application/json").status == 503);
  CHECK(loki.ask("GET", "/ready").status == 503);
  CHECK(loki.surface.model().lines().empty());
  CHECK(loki.ask("POST", "/model/mode", R"({"down": false, "fails_after_storing": true})").status == 204);
  CHECK(loki.push(kJson, "application/json").status == 500);
  CHECK(loki.surface.model().lines().size() == 1);
}

TEST_CASE("a restart forgets streams, not lines") {
  Server loki;
  CHECK(loki.push(kJson, "application/json").status == 204);
  CHECK(loki.surface.model().streams("t1", kNow) == 1);
  CHECK(loki.ask("POST", "/model/restart").status == 204);
  CHECK(loki.surface.model().streams("t1", kNow) == 0);
  CHECK(loki.surface.model().lines().size() == 1);
}

}  // namespace
}  // namespace tideover::test
