#include "agent/promtail/positions.h"

#include <catch2/catch.hpp>

namespace tideover::promtail {
namespace {

Positions read(const std::string& text) {
  const auto positions = parse_positions(text);
  INFO(text << (positions ? "" : positions.error().detail));
  REQUIRE(positions.has_value());
  return *positions;
}

std::string fault(const std::string& text) {
  const auto positions = parse_positions(text);
  return positions ? "taken" : positions.error().detail;
}

const std::string kLongPath =
    "/var/log/pods/shop_api-7d9f8c6b5d-x2x9k_5f2c1b7e-8c1f-4a52-9a55-0d9f7d2f9a11/"
    "a-container-with-a-rather-long-name-for-a-test/"
    "0.log";

TEST_CASE("Promtail's positions are read in both forms of a key") {
  REQUIRE(kLongPath.size() > 128);
  const Positions positions = read("positions:\n  /var/log/syslog: \"17623\"\n  ? " + kLongPath +
                                   "\n  : \"5\"\n  '/var/log/with: colon': \"0\"\n");
  REQUIRE(positions.files.size() == 3);
  CHECK(positions.files[0].path == "/var/log/syslog");
  CHECK(positions.files[0].offset == 17623);
  CHECK(positions.files[0].labels.empty());
  CHECK(positions.files[1].path == kLongPath);
  CHECK(positions.files[1].offset == 5);
  CHECK(positions.files[2].path == "/var/log/with: colon");
  CHECK(positions.unusable_count == 0);
}

TEST_CASE("Alloy's positions are read with their labels") {
  const Positions positions = read(
      "positions:\n"
      "  ? path: /var/log/app.log\n"
      "    labels: '{job=\"app\"}'\n"
      "  : \"12\"\n"
      "  ? path: /var/log/app.log\n"
      "    labels: '{}'\n"
      "  : \"7\"\n");
  REQUIRE(positions.files.size() == 2);
  CHECK(positions.files[0].labels == R"({job="app"})");
  CHECK(positions.files[0].offset == 12);
  CHECK(positions.files[1].labels == "{}");
  CHECK(positions.files[1].offset == 7);
}

TEST_CASE("of a compressed file the position is lines") {
  const Positions positions = read("positions:\n  /a.log.gz: \"3\"\n  /a.log: \"4\"\n");
  CHECK(positions.files.at(0).counts_lines);
  CHECK_FALSE(positions.files.at(1).counts_lines);
  for (const char* path : {"/a.z", "/a.bz2"})
    CHECK(read("positions:\n  " + std::string(path) + ": \"3\"\n").files.at(0).counts_lines);
}

TEST_CASE("positions of what is no file are named and not taken for files") {
  const Positions positions =
      read("positions:\n  cursor-journal: s=abc;i=1\n  journal-old: x\n  /a: \"1\"\n");
  CHECK(positions.cursors == std::vector<std::string>{"cursor-journal", "journal-old"});
  CHECK(positions.files.size() == 1);
}

TEST_CASE("no positions are no fault") {
  for (const char* text : {"", "\n", "positions: {}\n", "positions:\n", "{}\n", "# nothing\n"})
    CHECK(read(text).files.empty());
}

TEST_CASE("an entry that says nothing of use is named with its line, and the others are kept") {
  for (const char* bad : {"\"x\"", "\"-1\"", "\"1.5\"", "\"\"", "\" 1\"", "\"18446744073709551615\"",
                          "\"9223372036854775808\"", "", "~"}) {
    INFO(bad);
    const Positions positions =
        read("positions:\n  /a: \"1\"\n  /b: " + std::string(bad) + "\n  /c: \"3\"\n");
    CHECK(positions.files.size() == 2);
    REQUIRE(positions.unusable.size() == 1);
    CHECK(positions.unusable[0].find("line 3: /b ") == 0);
  }
  CHECK(read("positions:\n  /a: \"9223372036854775807\"\n").files.size() == 1);
  CHECK(read("positions:\n  \"\": \"1\"\n").unusable_count == 1);
  CHECK(read("positions:\n  !!binary L3Zhci//: \"1\"\n").unusable.at(0).find("not UTF-8") !=
        std::string::npos);
  CHECK(read("positions:\n  ? " + std::string(5000, 'x') + "\n  : \"1\"\n").unusable_count == 1);
}

TEST_CASE("only the first hundred useless entries are named, all are counted") {
  std::string text = "positions:\n";
  for (int i = 0; i < 150; ++i) text += "  /" + std::to_string(i) + ": x\n";
  const Positions positions = read(text);
  CHECK(positions.unusable.size() == 100);
  CHECK(positions.unusable_count == 150);
}

TEST_CASE("a file that is not positions is refused as a whole, with the line") {
  CHECK(fault("clients:\n  - url: x\n").find("line 1: ") == 0);
  CHECK(fault("positions:\n  /a: \"1\"\nother: 1\n").find("line 3: ") == 0);
  CHECK(fault("positions:\n  /a: \"1\"\npositions: {}\n").find("comes twice") != std::string::npos);
  CHECK(fault("positions:\n  /a: \"1\"\n  /a: \"2\"\n").find("line 3: this key comes twice") == 0);
  CHECK(fault("positions: 5\n") != "taken");
  CHECK(fault("positions: [1]\n") != "taken");
  CHECK(fault("5\n") != "taken");
  CHECK(fault("- 5\n") != "taken");
  CHECK(fault("positions:\n  /a: {}\n") != "taken");
  CHECK(fault("positions:\n  /a: [1]\n") != "taken");
  CHECK(fault("positions:\n  /a: &x \"1\"\n  /b: *x\n").find("alias") != std::string::npos);
  CHECK(fault("positions:\n  ? labels: x\n  : \"1\"\n").find("no path") != std::string::npos);
  CHECK(fault("positions:\n  ? path: /a\n    inode: 5\n  : \"1\"\n").find("nothing else") !=
        std::string::npos);
  CHECK(fault("positions:\n  ? path: /a\n    path: /b\n  : \"1\"\n").find("twice") != std::string::npos);
  CHECK(fault("positions: {}\n---\npositions: {}\n").find("second YAML document") != std::string::npos);
  CHECK(fault("positions: {\n") != "taken");
}

TEST_CASE("a file that was cut is refused: its last number would be a smaller one") {
  CHECK(fault("positions:\n  /a: 17623").find("breaks off") != std::string::npos);
}

TEST_CASE("what is no text, or too much of it, is refused") {
  CHECK(fault("positions:\n  /a\x01: \"1\"\n").find("line 2: ") == 0);
  CHECK(fault("positions:\n  /a\xff: \"1\"\n").find("line 2: ") == 0);
  CHECK(fault(std::string(kPositionsBytesMax + 1, '\n')).find("larger than") == 0);
  for (const char bracket : {'[', '{'}) {
    std::string nested(100'000, bracket);
    nested += '\n';
    CHECK(fault(nested) != "taken");
    CHECK(fault("positions: " + nested) != "taken");
  }
}

}  // namespace
}  // namespace tideover::promtail
