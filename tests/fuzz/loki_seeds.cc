#include "tests/fuzz/loki_seeds.h"

#include <cstdint>
#include <limits>

#include "forwarders/loki/push_fields.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/push_oracle.h"

namespace tideover::fuzz {
namespace {

namespace wire = remote_write::wire;
using test::PushedStreams;

constexpr std::int64_t kNow = 1'764'396'000'000'000'000;

std::string field(std::uint32_t number, std::string_view bytes) {
  std::string out;
  wire::put_bytes(out, number, bytes);
  return out;
}

std::string time(std::int64_t seconds, std::int64_t nanos) {
  std::string out;
  wire::put_number(out, tideover::loki::kTimestampSeconds, static_cast<std::uint64_t>(seconds));
  wire::put_number(out, tideover::loki::kTimestampNanos, static_cast<std::uint64_t>(nanos));
  return field(tideover::loki::kEntryTimestamp, out);
}

std::string stream(std::string_view labels, const std::string& entry) {
  return field(1, field(1, labels) + field(2, entry));
}

PushedStreams usual() {
  return {{R"({app="api", pod="x"})", {{kNow, "line", {{"trace", "1"}, {"span", "2"}}}, {kNow + 1, "", {}}}},
          {R"({job='größe',})", {{kNow - 1, std::string(10, 'x'), {}}, {1, "old", {}}}}};
}

// Labels in every form that is taken, and in some that are not.
std::string label_forms() {
  std::string raw;
  for (const char* labels :
       {"{}", R"({a=""})", "{a=`raw\\n`}", R"({a="\x41\101\u00e4\U0001F600\a\b\f\n\r\t\v\\\""})",
        R"({a='\''})", R"({b="2",a="1"})", R"({a="1",a="2"})", R"({a="12345"})", R"({a="1",b="2",c="3"})",
        R"({a="1",b="2",service_name="3"})", R"({__backfill__="1"})", "{a=\"\\xff\"}"})
    raw += stream(labels, time(1'764'396'000, 0));
  return raw;
}

std::string times() {
  std::string raw;
  for (const std::int64_t seconds :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'764'396'000}, std::int64_t{9'223'372'036},
        std::int64_t{-9'223'372'037}, std::int64_t{253'402'300'799}, std::int64_t{-62'135'596'800}})
    for (const std::int64_t nanos : {0, 1, 999'999'999}) raw += stream(R"({a="b"})", time(seconds, nanos));
  return raw;
}

}  // namespace

Seeds loki_pushes() {
  const std::string good = test::written_by_generated_code(usual());
  const std::string now = time(1'764'396'000, 5);
  const std::string pair = field(3, field(1, "n") + field(2, "v"));
  return {{"usual", good},
          {"cut_short", good.substr(0, good.size() - 1)},
          {"twice", good + good},
          {"label_forms", label_forms()},
          {"times", times()},
          {"time_beyond_9999", stream("{a=\"b\"}", time(253'402'300'800, 0))},
          {"nanos_of_a_second", stream("{a=\"b\"}", time(0, 1'000'000'000))},
          {"metadata_apart", stream("{a=\"b\"}", pair + now + pair + field(2, "line") + pair)},
          {"metadata_together", stream("{a=\"b\"}", now + field(2, "line") + pair + pair + pair)},
          {"labels_behind", field(1, field(2, now) + field(1, "{a=\"b\"}") + field(1, "{c=\"d\"}"))},
          {"time_in_two_parts", stream("{a=\"b\"}", time(1'764'396'000, 1) + field(1, "\x10\x07"))},
          {"of_the_server",
           field(2, "format") + field(1, field(1, "{a=\"b\"}") + "\x18\x05" +
                                             field(2, now + pair + field(4, field(1, "parsed"))))},
          {"labels_of_another_type", field(1, "\x08\x01")},
          {"labels_that_do_not_parse", stream("{a.b=\"c\"}", now)},
          {"nothing", ""}};
}

Seeds loki_texts() {
  return {
      {"usual",
       R"({"streams":[{"stream":{"app":"api","job":"x"},"values":[["1764396000000000000","line"],["1","x",{"t":"1"}]]}]})"},
      {"values_first", R"({"streams":[{"values":[["1","x"]],"stream":{"a":"b"}}]})"},
      {"unknown",
       R"({"x":{"y":[1,2.5e3,null,true]},"streams":[{"q":[[]],"values":[["1","x",{},5,{}]]}],"z":"s"})"},
      {"escapes", R"({"streams":[{"stream":{"a":"\u00e4\"\\\n"},"values":[["-1","\ud83d\ude00\u0000"]]}]})"},
      {"half_a_pair", R"({"streams":[{"stream":{},"values":[["1","\ud83d"]]}]})"},
      {"nulls", R"({"streams":[{"stream":{"a":"b"},"values":null}]})"},
      {"number_as_time", R"({"streams":[{"stream":{"a":"b"},"values":[[1,"x"]]}]})"},
      {"time_beyond_64_bits", R"({"streams":[{"values":[["9223372036854775808","x"]]}]})"},
      {"no_line", R"({"streams":[{"values":[["1"]]}]})"},
      {"two_texts", R"({"streams":[]}{})"},
      {"deep", R"({"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]})"},
      {"not_utf8", "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"\xff\xc3\"]]}]}"},
      {"cut_short", R"({"streams":[{"stream":{"a":)"},
      {"nothing", ""}};
}

}  // namespace tideover::fuzz
