// The guard in front of the YAML library: places, readable words, bounded work on hostile input.
#include "agent/config/yaml_tree.h"

#include <catch2/catch.hpp>

namespace tideover::config {
namespace {

Fault only_fault(const std::string& text) {
  const auto document = parse_yaml(text);
  REQUIRE(document.faults.size() == 1);
  return document.faults[0];
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

TEST_CASE("each node knows its line and column, counted from 1") {
  const auto document = parse_yaml("a: 1\nb:\n  - c\n  - {d: 'e'}\n");
  REQUIRE(document.root);
  REQUIRE(document.faults.empty());
  const Node& root = *document.root;
  REQUIRE(root.entries.size() == 2);
  CHECK(root.entries[0].place == Place{1, 1});
  CHECK(root.entries[0].value.place == Place{1, 4});
  const Node& list = root.entries[1].value;
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[0].place == Place{3, 5});
  CHECK(list.items[1].entries[0].place == Place{4, 6});
  CHECK(list.items[1].entries[0].value.text == "e");
}

TEST_CASE("a key that stands twice names both places") {
  const auto fault = only_fault("a: 1\nb: 2\na: 3\n");
  CHECK(fault.place == Place{3, 1});
  CHECK(fault.sentence.find("\"a\" stands here a second time: the first is at line 1") != std::string::npos);
}

TEST_CASE("a tab in the indentation is called a tab") {
  for (const auto* text : {"a:\n\tb: 1\n", "a:\n  b: 1\n\tc: 2\n", "a:\n  - b\n \t- c\n"}) {
    INFO(text);
    const auto fault = only_fault(text);
    CHECK(fault.sentence == "a tab in the indentation: YAML wants spaces");
    CHECK(fault.place.line >= 2);
  }
}

TEST_CASE("a slip in the syntax is located and said in plain words") {
  CHECK(only_fault("a: b: c\n").sentence.find("put the value in quotes") != std::string::npos);
  CHECK(only_fault("a: [b\n").sentence.find("\"[\" is never closed") != std::string::npos);
  CHECK(only_fault("a: {b: c\n").sentence.find("\"{\" is never closed") != std::string::npos);
  CHECK(only_fault("a:\n  b: 1\n c: 2\n").place.line == 3);
  CHECK(only_fault("a: @b\n").place == Place{1, 4});
  CHECK(only_fault("a: *nope\n").sentence.find("anchor that is not defined") != std::string::npos);
}

TEST_CASE("an open quote swallows nothing: it is a fault where it begins") {
  for (const auto* text :
       {"a: 'b\n", "a: \"b\nc: d\n", "a: 'it''s\nc: d\n", "a: \"\\\"\n", "a: ['b', 'c\n]\n"}) {
    INFO(text);
    CHECK(only_fault(text).sentence.find("never closed") != std::string::npos);
  }
  CHECK(only_fault("a: b\nc: d\ne: 'f'\ng: \"open\nh: i\n").place == Place{4, 4});
  CHECK(parse_yaml("a: 'it''s'\nb: \"\\\"\"\nc: d'\n").faults.empty());
}

TEST_CASE("a second document is refused, an opening and a closing mark are not") {
  CHECK(only_fault("a: 1\n---\nb: 2\n").sentence.find("second YAML document") != std::string::npos);
  CHECK(parse_yaml("---\na: 1\n...\n").faults.empty());
}

TEST_CASE("an alias stands for what its anchor named") {
  const auto document = parse_yaml("a: &x {b: c}\nd: *x\n");
  REQUIRE(document.faults.empty());
  CHECK(document.root->entries[1].value.entries[0].value.text == "c");
}

TEST_CASE("an alias inside its own anchor is refused") {
  CHECK(only_fault("a: &x [*x]\n").sentence.find("the node that it is in") != std::string::npos);
}

TEST_CASE("aliases that double at every line are refused before they are expanded") {
  std::string text = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 100; ++i)
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ", *a" +
            std::to_string(i - 1) + "]\n";
  CHECK(only_fault(text).sentence.find("aliases written out") != std::string::npos);
}

TEST_CASE("aliases of one long text are refused before they are expanded") {
  const auto text = "a: &a " + std::string(500'000, 'x') + "\nb: [" + repeated("*a, ", 1000) + "]\n";
  CHECK(only_fault(text).sentence.find("aliases written out") != std::string::npos);
}

TEST_CASE("deep nesting is refused near its beginning") {
  for (const auto* piece : {"[", "{a: ", "- "})
    CHECK(only_fault(repeated(piece, 50'000)).sentence.find("nested deeper") != std::string::npos);
}

TEST_CASE("more nodes than a configuration has are refused") {
  CHECK(only_fault("a: [" + repeated("x,", 100'000) + "]\n").sentence.find("more than a configuration can") !=
        std::string::npos);
}

TEST_CASE("a map of many keys is refused before comparing them gets slow") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "k" + std::to_string(i) + ": v\n";
  CHECK(parse_yaml(text).faults.empty());
  text += "one_more: v\n";
  CHECK(only_fault(text).sentence.find("more keys in one place") != std::string::npos);
}

TEST_CASE("a file of more than one mebibyte is refused unread") {
  CHECK(only_fault(std::string(kFileBytesMax + 1, '#')).sentence.find("larger than 1048576 bytes") !=
        std::string::npos);
}

TEST_CASE("bytes that are no text are located") {
  CHECK(only_fault(std::string("a: b\nc: \0d\n", 11)).place == Place{2, 4});
  CHECK(only_fault("a: \xff\n").place == Place{1, 4});
  CHECK(only_fault("a: \xc0\x80\n").sentence.find("not UTF-8") != std::string::npos);
  CHECK(only_fault("a: \xed\xa0\x80\n").sentence.find("not UTF-8") != std::string::npos);
  CHECK(parse_yaml("a: \xc3\xbc\r\nb: c\r\n").faults.empty());
}

TEST_CASE("a byte order mark is refused where it stands: behind one, an open quote would swallow the file") {
  CHECK(only_fault("\xef\xbb\xbf"
                   "a: b\n")
            .place == Place{1, 1});
  CHECK(only_fault("\xef\xbb\xbf"
                   "a: \"b\nc: d\n")
            .sentence.find("byte order mark") != std::string::npos);
  CHECK(only_fault("a: b\nc: \xef\xbb\xbf"
                   "d\n")
            .place == Place{2, 4});
}

TEST_CASE("a tag is refused, since it would mean nothing") {
  CHECK(only_fault("a: !!python/object x\n").sentence.find("tag") != std::string::npos);
}

TEST_CASE("a key must be a word") {
  CHECK(only_fault("? [a, b]\n: c\n").sentence == "a key must be a plain word");
  CHECK_FALSE(parse_yaml(": c\n").faults.empty());
}

}  // namespace
}  // namespace tideover::config
