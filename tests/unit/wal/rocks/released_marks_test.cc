// How far each lane was given back, as the meta says it: what is dropped by it must be needed by nobody.
#include "wal/rocks/released_marks.h"

#include <catch2/catch.hpp>

#include "wal/queue_state.h"
#include "wal/rocks/meta.h"

namespace tideover::wal {
namespace {

using Meta = std::map<std::string, std::string>;
using Marks = LaneMarks::Snapshot;

std::string lane_value(std::vector<std::string> cursors, LaneId number = LaneId{17}) {
  LaneValue lane;
  lane.number = number;
  lane.cursors = std::move(cursors);
  return encode(lane);
}

std::string cursor_value(std::uint64_t next) {
  CursorState state;
  state.next = Seq{next};
  return encode(state);
}

TEST_CASE("a lane is given back up to the slowest of its cursors") {
  const Meta meta = {
      {lane_key("metrics"), lane_value({"a", "b", "c"})}, {cursor_key("metrics", "a"), cursor_value(9)},
      {cursor_key("metrics", "b"), cursor_value(5)},      {cursor_key("metrics", "c"), cursor_value(7)},
      {lane_key("logs"), lane_value({"a"}, LaneId{3})},   {cursor_key("logs", "a"), cursor_value(2)}};
  CHECK(released_marks(meta) == Marks{{LaneId{17}, Seq{5}}, {LaneId{3}, Seq{2}}});
}

TEST_CASE("a cursor that is lost, or cannot be read, may stand anywhere: nothing was given back") {
  Meta meta = {{lane_key("metrics"), lane_value({"a", "b"})}, {cursor_key("metrics", "a"), cursor_value(9)}};
  CHECK(released_marks(meta) == Marks{{LaneId{17}, Seq{0}}});
  meta[cursor_key("metrics", "b")] = "\1 no value";
  CHECK(released_marks(meta) == Marks{{LaneId{17}, Seq{0}}});
}

TEST_CASE("a lane whose own value is lost has no mark, whatever its cursors say") {
  Meta meta = {{cursor_key("metrics", "a"), cursor_value(9)}};
  CHECK(released_marks(meta) == Marks{{lane_id("metrics"), Seq{0}}});
  meta[lane_key("metrics")] = "\1 no value";
  CHECK(released_marks(meta) == Marks{{lane_id("metrics"), Seq{0}}});
}

TEST_CASE("a lane without cursors has no mark") {
  CHECK(released_marks({{lane_key("metrics"), lane_value({})}, {"check/x", "1"}}).empty());
}

TEST_CASE("what was remembered as given back is, even where a cursor is lost, and only rises") {
  Meta meta = {{lane_key("metrics"), lane_value({"a"})},
               {cursor_key("metrics", "a"), cursor_value(9)},
               {released_key(LaneId{17}), "4"},
               {released_key(LaneId{4'000'000'000}), "12"}};
  CHECK(released_marks(meta) == Marks{{LaneId{17}, Seq{9}}, {LaneId{4'000'000'000}, Seq{12}}});
  meta.erase(cursor_key("metrics", "a"));
  CHECK(released_marks(meta).at(LaneId{17}) == Seq{4});
}

}  // namespace
}  // namespace tideover::wal
