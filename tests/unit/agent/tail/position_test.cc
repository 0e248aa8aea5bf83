// Positions as they are committed, and marks of what a file has.
#include "agent/tail/position.h"

#include "tests/support/catch_result.h"

namespace tideover::tail {
namespace {

Position sample() {
  Position position;
  position.id = {64769, 0x1234567890};
  position.name = "0.log.20261128-100000";
  position.restart = 3;
  position.order_ns = -5;
  position.head = mark_of("the beginning");
  position.before = mark_of("before");
  position.offset = 5'000'000'000;
  position.size = 5'000'000'007;
  position.lines = std::string("\0x\n", 3);
  return position;
}

TEST_CASE("a position is read as it was written") {
  CHECK(decode_position(encode(sample())).value() == sample());
  CHECK(decode_position(encode({})).value() == Position{});
}

TEST_CASE("a position is small: it is committed with every sweep") { CHECK(encode(sample()).size() < 128); }

TEST_CASE("no damaged byte of a position passes for one, and none is a fault") {
  const std::string value = encode(sample());
  for (std::size_t at = 0; at < value.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = value;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      CAPTURE(at);
      REQUIRE_FALSE(decode_position(damaged));
      CHECK(decode_position(damaged).error().code == Errc::bad_input);
    }
    CHECK_FALSE(decode_position(value.substr(0, at)));
  }
  CHECK_FALSE(decode_position(value + "x"));
  CHECK_FALSE(decode_position(std::string(200, '\0')));
}

TEST_CASE("a position whose sum is right and whose bytes cannot be ours is refused") {
  Position position = sample();
  SECTION("a name that leaves the directory") { position.name = "../secret"; }
  SECTION("a name longer than a file's") { position.name = std::string(256, 'x'); }
  SECTION("a head larger than is ever read") { position.head.bytes = 1025; }
  SECTION("more before the place than there is") { position.offset = 5; }
  SECTION("more before the place than is ever read") { position.before.bytes = 65; }
  CHECK_FALSE(decode_position(encode(position)));
}

TEST_CASE("a file that has grown begins as it did, one that is shorter or another does not") {
  const Mark head = mark_of("hello");
  CHECK(begins_with("hello", head));
  CHECK(begins_with("hello world", head));
  CHECK_FALSE(begins_with("hell", head));
  CHECK_FALSE(begins_with("jello world", head));
  CHECK(begins_with("anything", mark_of("")));
}

}  // namespace
}  // namespace tideover::tail
