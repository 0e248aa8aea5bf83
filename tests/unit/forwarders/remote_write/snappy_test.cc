#include "forwarders/remote_write/snappy.h"

#include <catch2/catch.hpp>

#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

TEST_CASE("what was compressed comes back") {
  for (const std::string& raw : {std::string(), std::string("x"), std::string(200'000, 'y')}) {
    std::string block;
    compress(raw, block);
    CHECK(*declared_size(block) == raw.size());
    std::string plain = "left over from before";
    REQUIRE(decompress(block, raw.size(), plain).has_value());
    CHECK(plain == raw);
    CHECK(test::snappy_plain(block) == raw);
  }
}

TEST_CASE("a block that declares more than is taken is refused before any memory is given") {
  const std::string block = test::snappy_block(std::string(1001, 'x'));
  std::string plain;
  CHECK(decompress(block, 1000, plain).error().code == Errc::too_large);
  CHECK(plain.capacity() < 1000);
}

TEST_CASE("a few bytes that declare megabytes are refused before any memory is given") {
  const std::string block = "\x80\x80\x80\x0fxxxxxx";
  REQUIRE(*declared_size(block) == 15u << 21);
  std::string plain;
  CHECK(decompress(block, 32 << 20, plain).error().code == Errc::bad_input);
  CHECK(plain.capacity() < 1000);
}

TEST_CASE("the densest block there is decodes") {
  // One literal, then copies of 64 bytes in three bytes each.
  const std::string raw(1 << 20, 'z');
  std::string plain;
  REQUIRE(decompress(test::snappy_block(raw), raw.size(), plain).has_value());
  CHECK(plain == raw);
}

TEST_CASE("bytes that are no snappy block are bad input") {
  std::string plain;
  CHECK(declared_size("").error().code == Errc::bad_input);
  CHECK(declared_size("\xff\xff\xff\xff\xff\xff").error().code == Errc::bad_input);
  CHECK(decompress("", 1000, plain).error().code == Errc::bad_input);
  std::string truncated = test::snappy_block("some bytes that are long enough to be cut");
  truncated.resize(truncated.size() - 3);
  CHECK(decompress(truncated, 1000, plain).error().code == Errc::bad_input);
}

}  // namespace
}  // namespace tideover::remote_write
