#include "agent/ingest/loki/json_push.h"

#include <catch2/catch.hpp>

#include "forwarders/loki/labels.h"
#include "tests/support/push_oracle.h"

namespace tideover::ingest::loki {
namespace {

using tideover::loki::kLabelsMax;
using tideover::loki::kLabelTextMax;

using test::PushedStreams;

Result<std::string> message_of(std::string_view text, std::size_t piece = std::string::npos) {
  JsonPush json;
  while (!text.empty()) {
    const Result<> read = json.read(text.substr(0, piece));
    if (!read) return read.error();
    text.remove_prefix(std::min(piece, text.size()));
  }
  return json.finish();
}

PushedStreams read(std::string_view text) {
  const auto message = message_of(text);
  INFO(text << (message ? "" : message.error().detail));
  REQUIRE(message.has_value());
  const auto streams = test::pushed_as_generated_code_reads(*message);
  REQUIRE(streams.has_value());
  return *streams;
}

std::string fault(std::string_view text) {
  const auto message = message_of(text);
  if (message) return "taken";
  CHECK(message.error().code == Errc::bad_input);
  return message.error().detail;
}

std::string one(const std::string& entry) {
  return R"({"streams":[{"stream":{"a":"b"},"values":[)" + entry + "]}]}";
}

constexpr std::string_view kTwoStreams = R"({
  "streams": [
    {"stream": {"job": "x", "app": "api"},
     "values": [["1731000000000000001", "fizz"], ["1731000000000000002", "buzz", {"trace": "1", "span": "2"}]]},
    {"stream": {"app": "größe \" \\ \n"}, "values": [["-5", ""]]}
  ]
})";

TEST_CASE("a push in JSON becomes the message that protobuf would have been") {
  const PushedStreams expected{
      {R"({app="api", job="x"})",
       {{1731000000000000001, "fizz", {}}, {1731000000000000002, "buzz", {{"trace", "1"}, {"span", "2"}}}}},
      {R"({app="größe \" \\ \n"})", {{-5, "", {}}}}};
  CHECK(read(kTwoStreams) == expected);
}

TEST_CASE("where JSON is cut into pieces makes no difference") {
  const auto whole = message_of(kTwoStreams);
  REQUIRE(whole.has_value());
  for (std::size_t piece = 1; piece < 40; ++piece) {
    const auto message = message_of(kTwoStreams, piece);
    REQUIRE(message.has_value());
    CHECK(*message == *whole);
  }
}

TEST_CASE("the keys of a stream may come in any order") {
  const auto streams =
      read(R"({"streams":[{"values":[["1","x"]],"stream":{"a":"b"}},{"values":[["2","y"]]}]})");
  CHECK(streams == PushedStreams{{R"({a="b"})", {{1, "x", {}}}}, {"{}", {{2, "y", {}}}}});
}

TEST_CASE("of labels named twice in JSON the last one counts, and metadata keeps both") {
  const auto streams =
      read(R"({"streams":[{"stream":{"a":"1","b":"2","a":"3"},"values":[["1","x",{"t":"1","t":"2"}]]}]})");
  CHECK(streams.at(0).labels == R"({a="3", b="2"})");
  CHECK(streams.at(0).entries.at(0).metadata.size() == 2);
}

TEST_CASE("what a JSON push says beside streams is passed over") {
  const auto streams = read(R"({"x":{"streams":[1,{"y":[[]]}]},"n":1.5e3,"t":true,"z":null,"s":"streams",
    "streams":[{"q":[{"stream":{}}],"stream":{"a":"b"},"k":{},"values":[["1","x",{},5,"m",{"n":[1]},null]]}],"w":[]})");
  CHECK(streams == PushedStreams{{R"({a="b"})", {{1, "x", {}}}}});
  CHECK(read(R"({"streams":null})").empty());
  CHECK(read("{}").empty());
  CHECK(read(R"({"streams":[{"stream":{"a":"b"},"values":null}]})").empty());
}

TEST_CASE("a timestamp in JSON is a string of nanoseconds, as Go reads numbers") {
  for (const auto& [text, ns] : {std::pair<std::string, std::int64_t>{"0", 0},
                                 {"+7", 7},
                                 {"-7", -7},
                                 {"007", 7},
                                 {"9223372036854775807", INT64_MAX},
                                 {"-9223372036854775808", INT64_MIN}})
    CHECK(read(one("[\"" + text + "\",\"x\"]")).at(0).entries.at(0).ns == ns);
  for (const char* bad :
       {R"("")", R"("x")", R"("1x")", R"(" 1")", R"("1.5")", R"("+-1")", R"("-+1")", R"("-")", R"("1_0")",
        R"("0x1")", R"("9223372036854775808")", "1731000000000000001", "1.5", "null", "true", "{}", "[]"})
    CHECK(fault(one("[" + std::string(bad) + ",\"x\"]")).find("timestamp that is not a string") !=
          std::string::npos);
}

TEST_CASE("JSON that is no push is refused, saying what and where") {
  CHECK(fault("").find("not JSON") != std::string::npos);
  CHECK(fault("{").find("not JSON") != std::string::npos);
  CHECK(fault(R"({"streams":[}})").find("at byte 13") != std::string::npos);
  CHECK(fault("{} x").find("something behind its JSON at byte 4") != std::string::npos);
  CHECK(fault("[]").find("is not an object") != std::string::npos);
  CHECK(fault("5").find("is not an object") != std::string::npos);
  CHECK(fault("\"x\"").find("is not an object") != std::string::npos);
  CHECK(fault(R"({"streams":{}})").find("\"streams\" that are not an array") != std::string::npos);
  CHECK(fault(R"({"streams":"x"})").find("\"streams\" that are not an array") != std::string::npos);
  CHECK(fault(R"({"streams":[5]})").find("stream that is not an object") != std::string::npos);
  CHECK(fault(R"({"streams":[[]]})").find("stream that is not an object") != std::string::npos);
  CHECK(fault(R"({"streams":[{"stream":"{a=1}"}]})").find("not an object") != std::string::npos);
  CHECK(fault(R"({"streams":[{"stream":{"a":1}}]})").find("label whose value") != std::string::npos);
  CHECK(fault(R"({"streams":[{"stream":{"a":{}}}]})").find("label whose value") != std::string::npos);
  CHECK(fault(R"({"streams":[{"values":{}}]})").find("\"values\" that are not an array") !=
        std::string::npos);
  CHECK(fault(one("5")).find("entry that is not an array") != std::string::npos);
  CHECK(fault(one("[]")).find("without a timestamp") != std::string::npos);
  CHECK(fault(one(R"(["1"])")).find("without a line") != std::string::npos);
  CHECK(fault(one(R"(["1",5])")).find("line that is not a string") != std::string::npos);
  CHECK(fault(one(R"(["1","x","y"])")).find("structured metadata that is not an object") !=
        std::string::npos);
  CHECK(fault(one(R"(["1","x",{"t":1}])")).find("structured metadata whose value") != std::string::npos);
  CHECK(fault(one(R"(["1","x",{"t":{}}])")).find("structured metadata whose value") != std::string::npos);
}

TEST_CASE("lines in JSON may be any bytes, labels are text") {
  CHECK(read(one("[\"1\",\"a\xff\\u0000\\u65e5\\ud83d\\ude00\"]")).at(0).entries.at(0).line ==
        std::string("a\xff\0日😀", 10));
  CHECK(fault("{\"streams\":[{\"stream\":{\"a\":\"\xff\"}}]}").find("not UTF-8") != std::string::npos);
  CHECK(fault(one(R"(["1","\ud800"])")).find("not JSON") != std::string::npos);
}

TEST_CASE("JSON is bounded in depth and in labels") {
  const auto nested = [](int depth) {
    return "{\"x\":" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  CHECK(fault(nested(20)) == "taken");
  CHECK(fault(nested(1000)).find("not JSON") != std::string::npos);
  std::string many;
  for (std::size_t i = 0; i <= kLabelsMax; ++i)
    many += (i > 0 ? ",\"a" : "\"a") + std::to_string(i) + "\":\"\"";
  CHECK(fault("{\"streams\":[{\"stream\":{" + many + "}}]}").find("more labels") != std::string::npos);
  const std::string wide(kLabelTextMax, 'x');
  CHECK(fault("{\"streams\":[{\"stream\":{\"a\":\"" + wide + "\"}}]}").find("more labels") !=
        std::string::npos);
}

}  // namespace
}  // namespace tideover::ingest::loki
