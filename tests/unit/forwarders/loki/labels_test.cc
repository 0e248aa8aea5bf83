#include "forwarders/loki/labels.h"

#include <catch2/catch.hpp>

namespace tideover::loki {
namespace {

std::string normal(std::string_view text) {
  const auto labels = parse_labels(text);
  return labels ? label_string(*labels) : labels.error().detail;
}

TEST_CASE("order, spaces and kinds of quotes make no difference to labels") {
  const std::string expected = R"({a="1", b="2"})";
  CHECK(normal(R"({a="1", b="2"})") == expected);
  CHECK(normal(R"({b="2",a="1"})") == expected);
  CHECK(normal(" {\n\tb = '2' ,\r a=`1` , } ") == expected);
  CHECK(normal(R"({a="1",b="2",})") == expected);
}

TEST_CASE("labels without a value are no labels") {
  CHECK(normal(R"({a="",b="2",c=''})") == R"({b="2"})");
  CHECK(normal("{}") == "{}");
}

TEST_CASE("labels that repeat are kept for the limits to name") {
  const auto labels = parse_labels(R"({b="3",a="2",a="1"})");
  REQUIRE(labels.has_value());
  CHECK(*labels == std::vector<Label>{{"a", "1"}, {"a", "2"}, {"b", "3"}});
}

TEST_CASE("escapes in label values are Go's") {
  const auto value = [](std::string_view quoted) {
    const auto labels = parse_labels("{a=" + std::string(quoted) + "}");
    return labels && labels->size() == 1 ? labels->front().value : "not parsed";
  };
  CHECK(value(R"("\a\b\f\n\r\t\v\\\"")") == "\a\b\f\n\r\t\v\\\"");
  CHECK(value(R"('\'"')") == "'\"");
  CHECK(value(R"("\x41\101\u00e4\u65e5\U0001F600")") == "AA\u00e4\u65e5\U0001F600");
  CHECK(value(R"("\xff\377")") == "\xff\xff");
  CHECK(value(R"(`\n"'`)") == R"(\n"')");
  CHECK(value("`a\nb`") == "a\nb");
  for (const char* bad :
       {R"("\q")", R"("\'")", R"('\"')", R"("\x4")", R"("\xg0")", R"("\u12")", R"("\ud800")",
        R"("\U00110000")", R"("\400")", R"("\8")", "\"a\nb\"", "\"a", "\"\\", "\"\xff\"", "x"})
    CHECK(value(bad) == "not parsed");
}

TEST_CASE("labels in their one form parse to what they were") {
  const std::string odd = std::string("a\0\x01\x1f\x7f\"\\\n\r\t'`", 12) + "größe 日本 \xff\xc3";
  const std::vector<Label> labels{{"a", odd}};
  const std::string text = label_string(labels);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(text.find("\\xff\\xc3") != std::string::npos);
  const auto parsed = parse_labels(text);
  REQUIRE(parsed.has_value());
  CHECK(*parsed == labels);
  CHECK(label_string(*parsed) == text);
}

TEST_CASE("what is no set of labels is refused in Loki's words, with its place") {
  for (const char* bad : {"", "{", "}", "a", "{a}", "{a=}", R"({a="1")", R"({1a="1"})", R"({a.b="1"})",
                          R"({"a"="1"})", R"({a!="1"})", R"({a=~"1"})", R"(up{a="1"})", R"({a="1"} x)", "{,}",
                          R"({a="1" b="2"})", R"({a="1",,b="2"})", R"({ä="1"})", R"({a="1"}{b="1"})"}) {
    INFO(bad);
    const auto labels = parse_labels(bad);
    REQUIRE_FALSE(labels.has_value());
    CHECK(labels.error().code == Errc::bad_input);
    CHECK(labels.error().detail.find("couldn't parse labels: ") == 0);
    CHECK(labels.error().detail.find(" at byte ") != std::string::npos);
  }
  CHECK(normal(R"({a.b="1"})").find("at byte 3") != std::string::npos);
  CHECK_FALSE(parse_labels(std::string("{a=\"1\"}\0", 8)).has_value());
}

TEST_CASE("a set of labels is bounded before it is parsed, and its refusal is short") {
  std::string many = "{";
  for (std::size_t i = 0; i < kLabelsMax; ++i) many += "a=\"1\",";
  CHECK(parse_labels(many + "}").has_value());
  CHECK_FALSE(parse_labels(many + "a=\"1\"}").has_value());
  const std::string wide = "{a=\"" + std::string(kLabelTextMax - 6, 'x') + "\"}";
  CHECK(parse_labels(wide).has_value() == (wide.size() <= kLabelTextMax));
  const auto wider = parse_labels("{a=\"" + std::string(kLabelTextMax, 'x') + "\"}");
  REQUIRE_FALSE(wider.has_value());
  CHECK(wider.error().detail.size() < 400);
}

}  // namespace
}  // namespace tideover::loki
