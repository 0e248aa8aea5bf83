// Long lines that the runtime has split, stdout and stderr in between each other, across a restart.
#include "agent/tail/joiner.h"

#include <catch2/catch.hpp>

namespace tideover::tail {
namespace {

CriLine part(std::string_view content, bool partial, Output output = Output::standard, std::int64_t at = 0) {
  return {at, output, partial, content};
}

TEST_CASE("a line that is whole passes, and has its own time") {
  Joiner joiner(100);
  const auto line = joiner.add(part("one", false, Output::error, 7));
  REQUIRE(line);
  CHECK(line->text == "one");
  CHECK(line->output == Output::error);
  CHECK(line->time_ns == 7);
  CHECK(line->cut_bytes == 0);
  CHECK_FALSE(joiner.unfinished());
}

TEST_CASE("parts become a line of their own output, with the time of the last one") {
  Joiner joiner(100);
  CHECK_FALSE(joiner.add(part("a", true, Output::standard, 1)));
  CHECK_FALSE(joiner.add(part("x", true, Output::error, 2)));
  CHECK_FALSE(joiner.add(part("b", true, Output::standard, 3)));
  CHECK(joiner.add(part("y", false, Output::error, 4))->text == "xy");
  const auto line = joiner.add(part("c", false, Output::standard, 5));
  REQUIRE(line);
  CHECK(line->text == "abc");
  CHECK(line->time_ns == 5);
  CHECK(joiner.add(part("d", false))->text == "d");
}

TEST_CASE("a line that is too long is cut, and says by how much") {
  Joiner joiner(5);
  CHECK_FALSE(joiner.add(part("abc", true)));
  CHECK_FALSE(joiner.add(part("def", true)));
  CHECK_FALSE(joiner.add(part("ghi", true)));
  const auto line = joiner.add(part("j", false));
  REQUIRE(line);
  CHECK(line->text == "abcde");
  CHECK(line->cut_bytes == 5);
  const auto next = joiner.add(part("123456", false));
  CHECK(next->text == "12345");
  CHECK(next->cut_bytes == 1);
  CHECK(joiner.add(part("12345", false))->cut_bytes == 0);
}

TEST_CASE("what a container leaves unfinished at its end is a line, of either output") {
  Joiner joiner(100);
  joiner.add(part("a", true, Output::standard, 1));
  joiner.add(part("x", true, Output::error, 2));
  const auto first = joiner.take_unfinished();
  const auto second = joiner.take_unfinished();
  REQUIRE((first && second));
  CHECK(first->text + second->text == "ax");
  CHECK(second->time_ns == 2);
  CHECK_FALSE(joiner.take_unfinished());
}

TEST_CASE("an empty part begins a line as well") {
  Joiner joiner(100);
  CHECK_FALSE(joiner.add(part("", true)));
  CHECK(joiner.unfinished());
  CHECK(joiner.add(part("", false))->text.empty());
}

TEST_CASE("a restart goes on in the midst of a line, and a line that was cut stays cut") {
  Joiner before(4);
  before.add(part("abcdef", true, Output::standard, 1));
  before.add(part(std::string_view("\0y", 2), true, Output::error, 2));
  Joiner after(4);
  REQUIRE(after.decode(before.encode()));
  CHECK(after.encode() == before.encode());
  const auto line = after.add(part("g", false, Output::standard, 3));
  CHECK(line->text == "abcd");
  CHECK(line->cut_bytes == 3);
  CHECK(after.add(part("z", false, Output::error, 4))->text == std::string("\0yz", 3));
  CHECK(after.encode().empty());
  CHECK(after.decode(""));
}

TEST_CASE("a state that is not ours leaves nothing unfinished") {
  Joiner joiner(100);
  joiner.add(part("abc", true));
  joiner.add(part("x", true, Output::error));
  const std::string state = joiner.encode();
  for (std::size_t size = 1; size < state.size(); ++size) {
    CHECK_FALSE(joiner.decode(std::string_view(state).substr(0, size)));
    CHECK_FALSE(joiner.unfinished());
  }
  CHECK_FALSE(joiner.decode(state + "x"));
  std::string newer = state;
  newer[0] = 2;
  CHECK_FALSE(joiner.decode(newer));
}

TEST_CASE("what was unfinished is cut to lines that are shorter than when it was written") {
  Joiner joiner(100);
  joiner.add(part("abc", true));
  Joiner narrow(2);
  REQUIRE(narrow.decode(joiner.encode()));
  const auto line = narrow.add(part("d", false));
  CHECK(line->text == "ab");
  CHECK(line->cut_bytes == 2);
}

}  // namespace
}  // namespace tideover::tail
