// A log read past its damage: what is intact behind it is found, and what is lost is told from where to
// where.
#include "wal/rocks/log_walk.h"

#include <catch2/catch.hpp>

#include "tests/unit/wal/rocks/written_log.h"

namespace tideover::wal {
namespace {

std::vector<LogPiece> pieces_of(const WrittenLog& log) {
  LogWalker walker(log.bytes);
  std::vector<LogPiece> pieces;
  while (auto piece = walker.next()) pieces.push_back(std::move(*piece));
  return pieces;
}

void check_lost(const LogPiece& piece, std::size_t begin, std::size_t end) {
  CHECK_FALSE(piece.intact);
  CHECK(piece.begin == begin);
  CHECK(piece.end == end);
}

TEST_CASE("a whole log is read whole, wherever its records meet the end of a block") {
  // How much of the block the first record leaves: nothing, too little for a header, a header alone, a byte.
  const std::size_t left = GENERATE(0, 1, 6, 7, 8, 300);
  WrittenLog log;
  const std::vector<std::string> records = {std::string(kLogBlock - kLogHeader - left, 'a'), "b",
                                            std::string(3 * kLogBlock, 'c'), ""};
  std::vector<Place> places;
  for (const std::string& record : records) places.push_back(log.append(record));
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == records.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    CHECK(pieces[i].intact);
    CHECK(pieces[i].record == records[i]);
    CHECK(pieces[i].begin == places[i].begin);
    CHECK(pieces[i].end == places[i].end);
  }
}

TEST_CASE("a byte changed anywhere in a record costs that record, and none behind it in its block") {
  WrittenLog log;
  log.append("before");
  const Place hit = log.append("the record that is hit");
  log.append("behind");
  log.append(std::string(kLogBlock, 'x'));  // so that the block is full
  log.flip(GENERATE_COPY(range(hit.begin, hit.end)));
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == 4);
  CHECK(pieces[0].record == "before");
  check_lost(pieces[1], hit.begin, hit.end);
  CHECK(pieces[2].record == "behind");
  CHECK(pieces[3].intact);
}

TEST_CASE("a record of several blocks is lost from its first fragment to the next record") {
  WrittenLog log;
  log.append("before");
  const Place hit = log.append(std::string(3 * kLogBlock, 'c'));
  log.append("behind");
  log.append(std::string(kLogBlock, 'x'));
  log.flip(hit.begin + GENERATE(10U, kLogBlock, 2 * kLogBlock));
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == 4);
  check_lost(pieces[1], hit.begin, hit.end);
  CHECK(pieces[2].record == "behind");
}

TEST_CASE("fragments without their beginning or their end are lost, not joined to their neighbours") {
  WrittenLog log;
  log.append("one");
  const std::size_t no_beginning = log.bytes.size();
  log.fragment(kMiddle, "middle");
  log.fragment(kLast, "last");
  log.append("two");
  const std::size_t no_end = log.bytes.size();
  log.fragment(kFirst, "first");
  log.append("three");
  const std::size_t at_end = log.bytes.size();
  log.fragment(kFirst, "first");
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == 6);
  CHECK(pieces[0].record == "one");
  check_lost(pieces[1], no_beginning, pieces[2].begin);
  CHECK(pieces[2].record == "two");
  check_lost(pieces[3], no_end, pieces[4].begin);
  CHECK(pieces[4].record == "three");
  check_lost(pieces[5], at_end, log.bytes.size());
}

TEST_CASE("a fragment inside a payload is not taken for one of the log") {
  WrittenLog inner;
  inner.append("a log in a log");
  WrittenLog log;
  const Place hit = log.append("x" + inner.bytes + "y");
  log.append("behind");
  log.append(std::string(kLogBlock, 'x'));
  log.flip(hit.begin);
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == 3);
  check_lost(pieces[0], hit.begin, hit.end);
  CHECK(pieces[1].record == "behind");
}

TEST_CASE("what is cut off at the end of a log is lost from where it began") {
  WrittenLog log;
  log.append("before");
  const Place cut = log.append("the record that is cut");
  log.bytes.resize(GENERATE_COPY(range(cut.begin + 1, cut.end)));
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].record == "before");
  check_lost(pieces[1], cut.begin, log.bytes.size());
}

TEST_CASE(
    "what is lost at the end ends where the log does, also in the rest of a block that holds no header") {
  WrittenLog log;
  log.fragment(kLast, std::string(kLogBlock - kLogHeader - 3, 'x'));  // its beginning is missing
  log.bytes += '\0';
  const auto pieces = pieces_of(log);
  REQUIRE(pieces.size() == 1);
  check_lost(pieces[0], 0, log.bytes.size());
}

TEST_CASE("an empty log holds nothing") { CHECK(pieces_of({}).empty()); }

}  // namespace
}  // namespace tideover::wal
