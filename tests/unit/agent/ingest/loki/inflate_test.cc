#include "agent/ingest/loki/inflate.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/agent/ingest/loki/packed.h"

namespace tideover::ingest::loki {
namespace {

constexpr std::uint64_t kMax = 1 << 20;

struct Outcome {
  std::string text;
  std::string error;
  Errc code = Errc::not_found;
  std::size_t pieces = 0;
};

Outcome inflated(std::string_view body, Packing packing, std::uint64_t bytes_max = kMax) {
  Outcome outcome;
  const Result<> result = inflate(body, packing, bytes_max, [&](std::string_view piece) {
    outcome.text += piece;
    ++outcome.pieces;
    return Result<>();
  });
  if (!result) outcome.error = result.error().detail, outcome.code = result.error().code;
  return outcome;
}

std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i * 7919) + ' ';
  return text;
}

TEST_CASE("gzip, deflate with zlib's frame and deflate without are read, in pieces") {
  const std::string text = long_text();
  CHECK(inflated(text, Packing::none).text == text);
  for (const auto& outcome : {inflated(test::packed(text, 16 + MAX_WBITS), Packing::gzip),
                              inflated(test::packed(text, MAX_WBITS), Packing::deflate),
                              inflated(test::packed(text, -MAX_WBITS), Packing::deflate)}) {
    CHECK(outcome.error.empty());
    CHECK(outcome.text == text);
    CHECK(outcome.pieces > 3);
  }
  CHECK(inflated(test::gzipped(""), Packing::gzip).error.empty());
}

TEST_CASE("several gzip members in a row are one text") {
  CHECK(inflated(test::gzipped("one ") + test::gzipped("two"), Packing::gzip).text == "one two");
}

TEST_CASE("what inflates to more than is taken is given up on the way") {
  const std::string bomb = test::gzipped(std::string(50 << 20, '\0'));
  REQUIRE(bomb.size() < 100'000);
  const Outcome outcome = inflated(bomb, Packing::gzip);
  CHECK(outcome.code == Errc::too_large);
  CHECK(outcome.text.size() <= kMax);
  CHECK(inflated(bomb + bomb, Packing::gzip, 50 << 20).code == Errc::too_large);  // members count together
  CHECK(inflated(std::string(11, 'x'), Packing::none, 10).code == Errc::too_large);
  CHECK(inflated(std::string(10, 'x'), Packing::none, 10).text.size() == 10);
  CHECK(inflated(test::gzipped(std::string(10, 'x')), Packing::gzip, 10).error.empty());
}

TEST_CASE("what is damaged or breaks off is refused") {
  const std::string good = test::gzipped(long_text());
  CHECK(inflated(good.substr(0, good.size() - 1), Packing::gzip).error.find("breaks off") !=
        std::string::npos);
  CHECK(inflated(good.substr(0, 5), Packing::gzip).error.find("breaks off") != std::string::npos);
  CHECK(inflated("", Packing::gzip).error.find("breaks off") != std::string::npos);
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 16);
  CHECK(inflated(flipped, Packing::gzip).error.find("damaged") != std::string::npos);
  CHECK(inflated("plain text", Packing::gzip).error.find("damaged") != std::string::npos);
  CHECK(inflated(good + "x", Packing::gzip).code == Errc::bad_input);
  CHECK(inflated(test::packed("x", -MAX_WBITS) + "x", Packing::deflate).code == Errc::bad_input);
}

TEST_CASE("who takes the pieces can end it") {
  const Result<> result = inflate("abc", Packing::none, kMax, [](std::string_view) -> Result<> {
    return fail(Errc::stopping, "enough");
  });
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail == "enough");
  int pieces = 0;
  const Result<> second =
      inflate(test::gzipped(long_text()), Packing::gzip, kMax, [&pieces](std::string_view) -> Result<> {
        if (++pieces == 2) return fail(Errc::stopping, "enough");
        return {};
      });
  CHECK(second.error().detail == "enough");
  CHECK(pieces == 2);
}

}  // namespace
}  // namespace tideover::ingest::loki
