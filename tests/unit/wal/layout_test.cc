#include "wal/layout.h"

#include <catch2/catch.hpp>

#include "wal/cursor.h"

namespace tideover::wal {
namespace {

StoredRecord stored(std::uint64_t seq, const Totals& through, std::uint32_t units, std::uint32_t span = 1,
                    std::size_t bytes = 1000) {
  StoredRecord record;
  record.seq = Seq{seq};
  record.through = through;
  record.attributes.units = units;
  record.bytes = std::make_shared<const std::string>(std::string(bytes, 'x'));
  record.span = span;
  return record;
}

// The record of that number in a lane whose records have 10 units and 1000 bytes each.
StoredRecord plain(std::uint64_t seq) { return stored(seq, {seq, 10 * seq, 1000 * seq}, 10); }
LaneState tail_at(std::uint64_t seq) { return {Seq{seq}, {seq, 10 * seq, 1000 * seq}}; }

std::uint64_t lost(const CursorState& state, Reason reason) {
  return state.ledger.lost[static_cast<std::size_t>(reason)];
}

CursorState standing_at(std::uint64_t seq) {
  const std::uint64_t before = seq - 1;
  CursorState state;
  state.next = Seq{seq};
  state.settled = {before, 10 * before, 1000 * before};
  state.ledger.delivered = 10 * before;
  return state;
}

// Reads, acknowledges all of it, and finds the account closed.
CursorState settled(Cursor& cursor, std::vector<StoredRecord> records, const LaneState& tail) {
  const auto batch = cursor.lay_out(std::move(records), next(tail.tail), tail);
  REQUIRE(batch);
  Ack ack;
  ack.upto = batch->next;
  REQUIRE(cursor.apply(ack, 0));
  const CursorState& state = cursor.state();
  CHECK(accepted(state, tail).units == state.ledger.settled() + behind(state, tail.totals).units);
  return state;
}

TEST_CASE("numbers without a record are damaged, with what the totals of their neighbours say") {
  Cursor cursor("x", {});
  const auto batch = cursor.lay_out({plain(3), plain(6)}, Seq{9}, tail_at(8));
  REQUIRE(batch);
  CHECK(batch->records.size() == 2);
  CHECK(batch->damaged_records == 6);
  CHECK(batch->damaged_units == 60);
  CHECK(batch->next == Seq{9});
}

TEST_CASE("damage without an end in sight is read over, and nothing of the cursor changes") {
  Cursor cursor("x", {});
  const auto held = cursor.lay_out({plain(1), plain(2)}, Seq{3}, tail_at(900));
  REQUIRE(held);
  CHECK_FALSE(cursor.lay_out({}, Seq{257}, tail_at(900)));
  CHECK_FALSE(cursor.trim({}, Seq{257}, tail_at(900)));
  Ack ack;
  ack.upto = Seq{2};
  CHECK(cursor.apply(ack, 0) == 0);  // the batch of before still counts
  CHECK(cursor.state().next == Seq{2});
}

TEST_CASE("a pack in front of a cursor is no damage, and settles what it replaced") {
  const StoredRecord pack = stored(10, {10, 100, 10'000}, 100, 10, 3000);
  Cursor cursor("x", {});
  const auto batch = cursor.lay_out({pack, plain(11)}, Seq{12}, tail_at(11));
  REQUIRE(batch);
  CHECK(batch->damaged_records == 0);
  CHECK(batch->damaged_units == 0);
  Ack ack;
  ack.upto = Seq{11};
  ack.losses.push_back({Reason::duplicate, 30});
  REQUIRE(cursor.apply(ack, 0));
  CHECK(cursor.state().settled == Totals{10, 100, 10'000});
  CHECK(cursor.state().ledger.delivered == 70);
}

TEST_CASE("a second cursor within a pack settles the rest of it, and nothing twice") {
  Cursor cursor("y", standing_at(6));
  const auto batch =
      cursor.lay_out({stored(10, {10, 100, 10'000}, 100, 10, 3000), plain(11)}, Seq{12}, tail_at(11));
  REQUIRE(batch);
  CHECK(batch->first == Seq{6});
  CHECK(batch->damaged_units == 0);
  Ack pack;
  pack.upto = Seq{11};
  pack.losses.push_back({Reason::duplicate, 80});  // of its hundred, fifty of which were settled before
  REQUIRE(cursor.apply(pack, 0));
  Ack rest;
  rest.upto = Seq{12};
  REQUIRE(cursor.apply(rest, 0));
  const CursorState& state = cursor.state();
  CHECK(state.ledger.settled() == 110);
  CHECK(lost(state, Reason::duplicate) == 50);
  CHECK(accepted(state, tail_at(11)).units == 110);
}

TEST_CASE("what was damaged before it was packed is counted, from the pack's front and behind a gap") {
  const StoredRecord pack = stored(10, {10, 100, 10'000}, 80, 8, 3000);  // 3 to 10, two of them lost
  Cursor at_front("x", standing_at(3));
  CursorState state = settled(at_front, {pack}, tail_at(10));
  CHECK(lost(state, Reason::damaged) == 0);
  const StoredRecord holed = stored(10, {10, 100, 10'000}, 60, 8, 3000);
  Cursor holes("x", standing_at(3));
  state = settled(holes, {holed}, tail_at(10));
  CHECK(lost(state, Reason::damaged) == 20);
  CHECK(state.ledger.delivered == 20 + 60);
  Cursor behind_gap("x", {});
  state = settled(behind_gap, {holed}, tail_at(10));
  CHECK(lost(state, Reason::damaged) == 40);
  CHECK(state.ledger.delivered == 60);
}

TEST_CASE("totals that go backwards keep the account closed and lose no record") {
  Cursor cursor("x", standing_at(5));
  const StoredRecord bent = stored(5, {2, 20, 2000}, 10);  // as if the lane had begun again behind number 3
  const CursorState state = settled(cursor, {bent, stored(6, {3, 30, 3000}, 10)}, {Seq{6}, {3, 30, 3000}});
  CHECK(state.ledger.delivered == 40 + 20);
  CHECK(lost(state, Reason::damaged) == 0);
}

TEST_CASE("totals that go backwards behind a gap, or at the tail, count nothing that was not there") {
  Cursor gap("x", standing_at(5));
  CursorState state = settled(gap, {stored(7, {3, 30, 3000}, 10)}, {Seq{7}, {3, 30, 3000}});
  CHECK(state.ledger.delivered == 40 + 10);
  Cursor end("x", standing_at(5));
  state = settled(end, {}, {Seq{7}, {1, 10, 1000}});
  CHECK(state.ledger.settled() == 40);
  CHECK(state.next == Seq{8});
}

TEST_CASE("a record that cannot stand where it was found is damage") {
  Cursor cursor("x", standing_at(5));
  const auto batch = cursor.lay_out({plain(3), plain(5), plain(5), plain(900), plain(7)}, Seq{8}, tail_at(7));
  REQUIRE(batch);
  CHECK(batch->records.size() == 2);
  CHECK(batch->damaged_records == 1);
  CHECK(batch->next == Seq{8});
}

TEST_CASE("what is missing in front of where a lost place begins again is not counted as damaged") {
  CursorState state = standing_at(5);
  state.origin = state.settled;
  state.ledger = {};
  state.unknown_before = Seq{9};
  Cursor cursor("x", state);
  const CursorState end = settled(cursor, {plain(5), plain(8), plain(10)}, tail_at(10));
  CHECK(lost(end, Reason::damaged) == 10);  // number 9
  CHECK(end.ledger.delivered == 30);
}

TEST_CASE("a cursor beyond its lane's totals has nothing behind it, and never a negative rest") {
  const CursorState state = standing_at(50);
  CHECK(behind(state, tail_at(7).totals) == Totals{});
  CHECK(accepted(state, tail_at(7)).units == state.ledger.settled());
}

}  // namespace
}  // namespace tideover::wal
