// Lines from blocks, wherever the blocks end.
#include "agent/tail/line_reader.h"

#include <catch2/catch.hpp>

#include "tests/unit/agent/tail/collected_lines.h"

namespace tideover::tail {
namespace {

using Texts = std::vector<std::string>;
constexpr std::int64_t kNow = 1'000;
const std::string kStamp = "1970-01-01T00:00:01Z ";
constexpr std::int64_t kSecond = 1'000'000'000;

std::string cri(const std::string& rest) { return kStamp + rest + "\n"; }

TEST_CASE("whole lines are taken; what has no line feed stays with the caller") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  const std::string whole = cri("stdout F one") + cri("stderr F two");
  CHECK(reader.take(whole + kStamp + "stdout F thr", Rest::unknown, kNow, sink) == whole.size());
  CHECK(sink.lines == std::vector<CollectedLine>{{kSecond, Output::standard, "one", 0, false},
                                                 {kSecond, Output::error, "two", 0, false}});
  CHECK(reader.lines() == 2);
}

TEST_CASE("at the end of a file, what has no line feed is a line") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  const std::string bytes = cri("stdout F one") + kStamp + "stdout F thr";
  CHECK(reader.take(bytes, Rest::none, kNow, sink) == bytes.size());
  CHECK(sink.texts() == Texts{"one", "thr"});
}

TEST_CASE("parts are joined, each output for itself, across blocks") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  reader.take(cri("stdout P a") + cri("stderr P x") + cri("stdout F b"), Rest::unknown, kNow, sink);
  reader.take(cri("stderr F y"), Rest::unknown, kNow, sink);
  CHECK(sink.texts() == Texts{"ab", "xy"});
}

TEST_CASE("what a container has left unfinished is given at its end") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  reader.take(cri("stdout P a"), Rest::unknown, kNow, sink);
  CHECK(sink.lines.empty());
  reader.end(sink);
  reader.end(sink);
  CHECK(sink.texts() == Texts{"a"});
}

TEST_CASE("a line longer than a block is one line, cut and marked, in both formats") {
  for (const Format format : {Format::cri, Format::plain}) {
    LineReader reader(format, 10);
    CollectedLines sink;
    const std::string begin = format == Format::cri ? kStamp + "stderr F " : "";
    for (const std::string& block : {begin + "01234", std::string("56789"), std::string("abc")})
      CHECK(reader.take(block, Rest::more, kNow, sink) == block.size());
    CHECK(sink.lines.empty());
    CHECK(reader.take("de\n", Rest::more, kNow, sink) == 3);
    REQUIRE(sink.lines.size() == 1);
    CHECK(sink.lines[0].text == "0123456789");
    CHECK(sink.lines[0].cut_bytes == 5);
    CHECK(sink.lines[0].output == (format == Format::cri ? Output::error : Output::standard));
    CHECK(sink.lines[0].time_ns == (format == Format::cri ? kSecond : kNow));
  }
}

TEST_CASE("a long line whose feed never comes ends with its file") {
  LineReader reader(Format::plain, 10);
  CollectedLines sink;
  reader.take("012", Rest::more, kNow, sink);
  SECTION("with bytes that come at its end") { CHECK(reader.take("34", Rest::none, kNow, sink) == 2); }
  SECTION("without any") {
    reader.take("34", Rest::unknown, kNow, sink);
    CHECK(reader.take("", Rest::none, kNow, sink) == 0);
  }
  CHECK(sink.texts() == Texts{"01234"});
  reader.take("x\n", Rest::unknown, kNow, sink);
  CHECK(sink.texts() == Texts{"01234", "x"});
}

TEST_CASE("a long part that the runtime says goes on does go on") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  reader.take(kStamp + "stdout P ab", Rest::more, kNow, sink);
  reader.take("cd\n" + cri("stdout F ef"), Rest::unknown, kNow, sink);
  CHECK(sink.texts() == Texts{"abcdef"});
}

TEST_CASE("wherever a restart falls, the same lines come") {
  const std::string bytes = cri("stdout P ab") + cri("stderr F x") + "no line of a runtime\n" +
                            cri("stdout P cd") + cri("stdout F e") + cri("stderr F last");
  CollectedLines whole;
  LineReader once(Format::cri, 100);
  once.take(bytes, Rest::unknown, kNow, whole);
  REQUIRE(whole.lines.size() == 4);
  for (const Rest rest : {Rest::unknown, Rest::more}) {
    for (std::size_t cut = kStamp.size() + 10; cut < bytes.size(); ++cut) {
      // A block is larger than what stands in front of a line, so no restart falls there in a long one.
      if (rest == Rest::more && cut - (bytes.rfind('\n', cut - 1) + 1) < kStamp.size() + 10) continue;
      CollectedLines parts;
      LineReader before(Format::cri, 100);
      const std::size_t taken = before.take(std::string_view(bytes).substr(0, cut), rest, kNow, parts);
      LineReader after(Format::cri, 100);
      REQUIRE(after.decode(before.encode()));
      CHECK(after.encode() == before.encode());
      after.take(std::string_view(bytes).substr(taken), Rest::unknown, kNow + 5, parts);
      CAPTURE(cut, parts.texts());
      CHECK(parts.texts() == whole.texts());
    }
  }
}

TEST_CASE("what is no line of the runtime is a line of its own, behind the one before it") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  reader.take("garbage\n" + cri("stdout P a") + "more\n" + cri("stdout F b"), Rest::unknown, kNow, sink);
  CHECK(sink.lines == std::vector<CollectedLine>{{kNow, Output::standard, "garbage", 0, true},
                                                 {kSecond + 1, Output::standard, "more", 0, true},
                                                 {kSecond, Output::standard, "ab", 0, false}});
}

TEST_CASE("no two plain lines have one time, though they are equal and the clock stands or goes back") {
  LineReader reader(Format::plain, 100);
  CollectedLines sink;
  reader.take("x\nx\n", Rest::unknown, kNow, sink);
  reader.take("x\n", Rest::unknown, kNow - 500, sink);
  LineReader after(Format::plain, 100);
  REQUIRE(after.decode(reader.encode()));
  after.take("x\n", Rest::unknown, kNow, sink);
  after.take("x\n", Rest::unknown, kNow + 500, sink);
  std::vector<std::int64_t> times;
  for (const CollectedLine& line : sink.lines) times.push_back(line.time_ns);
  CHECK(times == std::vector<std::int64_t>{kNow, kNow + 1, kNow + 2, kNow + 3, kNow + 500});
}

TEST_CASE("lines are text when they come, and an empty one is a line") {
  LineReader reader(Format::plain, 4);
  CollectedLines sink;
  reader.take(std::string_view("\na\xff\n\0b\nabc\xc3\xa4\n", 13), Rest::unknown, kNow, sink);
  CHECK(sink.texts() == Texts{"", "a\xef\xbf\xbd", std::string("\0b", 2), "abc"});
  CHECK(sink.lines[3].cut_bytes == 1);
}

TEST_CASE("a character that the runtime has split is whole again") {
  LineReader reader(Format::cri, 100);
  CollectedLines sink;
  reader.take(cri("stdout P a\xe2\x82") + cri("stdout F \xac!"), Rest::unknown, kNow, sink);
  CHECK(sink.texts() == Texts{"a\xe2\x82\xac!"});
}

TEST_CASE("a state that is not ours leaves a reader as new") {
  LineReader before(Format::cri, 100);
  CollectedLines sink;
  before.take(cri("stdout P a"), Rest::unknown, kNow, sink);
  before.take(kStamp + "stderr F long", Rest::more, kNow, sink);
  const std::string state = before.encode();
  for (std::size_t size = 1; size < state.size(); ++size) {
    LineReader after(Format::cri, 100);
    const bool taken = after.decode(state.substr(0, size));
    // The joiner's part may be absent, as it is when nothing is unfinished; none of it half.
    CAPTURE(size);
    CHECK(taken == (size == 20));
    if (!taken) CHECK(after.encode() == LineReader(Format::cri, 100).encode());
  }
  LineReader after(Format::cri, 100);
  CHECK_FALSE(after.decode("\x02" + state.substr(1)));
  CHECK_FALSE(after.decode(state + "x"));
}

}  // namespace
}  // namespace tideover::tail
