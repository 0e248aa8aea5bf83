#include "wal/queue_state.h"

#include <catch2/catch.hpp>

#include "wal/base/little_endian.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

CursorState some_cursor() {
  CursorState state;
  state.next = Seq{7};
  state.settled = {6, 60, 600};
  state.ledger.delivered = 60;
  state.overtaken_before = Seq{9};
  return state;
}

TEST_CASE("values of cursors and lanes are read as they were written") {
  CursorState cursor = some_cursor();
  cursor.unknown_before = Seq{5};
  CHECK(decode_cursor(encode(cursor)) == cursor);
  LaneValue lane;
  lane.number = LaneId{17};
  lane.state = {Seq{7}, {7, 70, 700}};
  lane.cursors = {"thanos", ""};
  lane.given_up = true;
  CHECK(decode_lane(encode(lane)) == lane);
}

TEST_CASE("values of format 1 are read, with and without a mark of what was overtaken") {
  const CursorState state = some_cursor();
  std::string value = encode(state);
  value[0] = 1;
  value.resize(value.size() - sizeof(std::uint64_t));  // it knew no place that was lost
  CHECK(decode_cursor(value) == state);
  CursorState unmarked = state;
  unmarked.overtaken_before = Seq{};
  CHECK(decode_cursor(value.substr(0, value.size() - sizeof(std::uint64_t))) == unmarked);
  CHECK(decode_cursor(value.substr(0, value.size() - 1)) == std::nullopt);

  LaneValue lane;
  lane.state = {Seq{7}, {7, 70, 700}};
  std::string lane_value = encode(lane);
  lane_value[0] = 1;
  CHECK(decode_lane(lane_value.substr(0, 33)) == lane);
}

TEST_CASE("a value that was cut short is not read, wherever the cut is") {
  LaneValue lane;
  lane.number = LaneId{17};
  lane.cursors = {"thanos"};
  for (const std::string& value : {encode(some_cursor()), encode(lane)})
    for (std::size_t size = 0; size < value.size(); ++size) {
      CHECK_FALSE(decode_cursor(value.substr(0, size)));
      CHECK_FALSE(decode_lane(value.substr(0, std::min(size, std::size_t{32}))));
    }
}

TEST_CASE("a value of a newer version is known as such, and not read") {
  std::string cursor = encode(some_cursor());
  CHECK_FALSE(is_newer_cursor(cursor));
  cursor[0] = 4;
  CHECK(is_newer_cursor(cursor));
  CHECK_FALSE(decode_cursor(cursor));
  std::string lane = encode(LaneValue{});
  CHECK_FALSE(is_newer_lane(lane));
  lane[0] = 3;
  CHECK(is_newer_lane(lane));
  CHECK_FALSE(decode_lane(lane));
  CHECK_FALSE(is_newer_cursor(""));
  CHECK_FALSE(is_newer_lane(""));
}

TEST_CASE("a value that names more reasons than there are is not read") {
  constexpr std::size_t kReasonsAt = 1 + 12 * sizeof(std::uint64_t);
  std::string value = encode(some_cursor());
  const auto reasons = load_le<std::uint16_t>(value.data() + kReasonsAt);
  REQUIRE(reasons == Ledger().lost.size());
  store_le<std::uint16_t>(value.data() + kReasonsAt, reasons + 1);
  CHECK_FALSE(decode_cursor(value + std::string(8, '\0')));
}

TEST_CASE("keys name their lane and their cursor, and no other key does") {
  const auto cursor = parse_cursor_key(cursor_key("metrics", "thanos"));
  REQUIRE(cursor);
  CHECK(cursor->lane == "metrics");
  CHECK(cursor->cursor == "thanos");
  CHECK(parse_lane_key(lane_key("metrics")) == "metrics");
  CHECK_FALSE(parse_cursor_key("cursor/metrics"));
  CHECK_FALSE(parse_cursor_key(lane_key("metrics")));
  CHECK_FALSE(parse_lane_key(cursor_key("metrics", "thanos")));
}

TEST_CASE("a number that no lane reaches is not taken for one") {
  CursorState cursor = some_cursor();
  cursor.next = Seq{~std::uint64_t{0}};
  CHECK_FALSE(decode_cursor(encode(cursor)));
  cursor.next = Seq{0};
  CHECK_FALSE(decode_cursor(encode(cursor)));
  LaneValue lane;
  lane.state.tail = Seq{kNumberMax};
  CHECK_FALSE(decode_lane(encode(lane)));
}

}  // namespace
}  // namespace tideover::wal
