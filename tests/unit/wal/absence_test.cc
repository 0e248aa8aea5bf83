// A cursor that nobody serves for a while: it keeps what it had, takes nothing that comes meanwhile, and goes
// on with what comes once it is back; what lies between costs no space.
#include "wal/absence.h"

#include <array>
#include <catch2/catch.hpp>

#include "tests/support/catch_result.h"
#include "tests/unit/wal/queue_life.h"

namespace tideover::wal {
namespace {

using Payloads = std::vector<std::string>;

CursorUsage usage_of(QueueLife& life, LaneId lane, std::string_view name) {
  for (CursorUsage& c : life.queue.cursors(lane))
    if (c.name == name) return std::move(c);
  FAIL("no cursor " << name);
  return {};
}

void check_closed(QueueLife& life, LaneId lane) {
  for (const CursorUsage& c : life.queue.cursors(lane)) {
    INFO(c.name);
    CHECK(c.accepted.units == c.ledger.settled() + c.behind.units);
  }
}

// Two destinations, of which one comes and goes. Every life is an agent's, from its start to its stop.
struct Lives {
  // `gone_is_there`: the configuration names it.
  template <class Body>
  void live(bool gone_is_there, Body body) {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {max_bytes, true});
    const CursorId stays = life.queue.open_cursor(lane, "stays", Keep::required, StartAt::oldest);
    std::optional<CursorId> gone;
    if (gone_is_there)
      gone = life.queue.open_cursor(lane, "gone", Keep::required, StartAt::oldest);
    else
      REQUIRE(life.queue.leave_cursor(lane, "gone"));
    check_closed(life, lane);
    body(life, lane, stays, gone.value_or(CursorId{}));
    check_closed(life, lane);
  }
  void append(bool gone_is_there, const Payloads& payloads) {
    live(gone_is_there, [&](QueueLife& life, LaneId lane, CursorId stays, CursorId) {
      for (const std::string& payload : payloads) REQUIRE(life.append(lane, payload, 10));
      life.drain(stays);
      life.settle();
    });
  }
  Payloads delivered_to_gone() {
    Payloads all;
    live(true, [&](QueueLife& life, LaneId, CursorId, CursorId gone) {
      while (true) {
        const auto batch = life.run(life.queue.read(gone, 1 << 20));
        REQUIRE(batch);
        if (batch->first == batch->next) break;
        for (const StoredRecord& r : batch->records) all.emplace_back(r.payload());
        REQUIRE(life.queue.ack(gone, {batch->next, {}, {}, 0, 0, 0}));
      }
      life.settle();
    });
    return all;
  }

  MemStore disk;
  std::uint64_t max_bytes = 0;
};

TEST_CASE("what comes while a cursor is away is none of its own, and what it had waits for it") {
  Lives lives;
  lives.append(true, {"a", "b"});
  lives.append(false, {"c", "d"});
  lives.append(false, {"e"});
  lives.append(true, {"f"});
  lives.live(true, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    const CursorUsage gone = usage_of(life, lane, "gone");
    CHECK(gone.behind.records == 3);
    CHECK(gone.behind.units == 30);
    CHECK(gone.accepted.units == 30);
  });
  CHECK(lives.delivered_to_gone() == Payloads{"a", "b", "f"});
  lives.live(true, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    const CursorUsage gone = usage_of(life, lane, "gone");
    CHECK(gone.behind == Totals{});
    CHECK(gone.accepted.units == 30);
    CHECK(gone.ledger.delivered == 30);
    CHECK(gone.position == Seq{7});
    CHECK(life.metrics.damaged_records == 0);
  });
}

TEST_CASE("a cursor may leave a second and a third time before it has caught up") {
  Lives lives;
  lives.append(true, {"a"});
  lives.append(false, {"b"});
  lives.append(true, {"c"});
  lives.append(false, {"d", "e"});
  lives.append(true, {});  // back for an instant in which nothing came
  lives.append(false, {"f"});
  lives.append(true, {"g"});
  CHECK(lives.delivered_to_gone() == Payloads{"a", "c", "g"});
}

TEST_CASE("what only came while a cursor was away leaves the disk, and what it had stays") {
  Lives lives;
  lives.append(true, {"a", "b"});
  const std::uint64_t held = lives.disk.usage().disk_bytes;
  lives.append(false, {"c", "d", "e", "f"});
  CHECK(lives.disk.usage().disk_bytes == held + cost_of("f"));  // the last one is the tail's witness
  lives.live(false, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    CHECK(life.queue.usage(lane).held.records == 2);
    CHECK(life.queue.usage(lane).held.bytes == 2 * cost_of("a"));
  });
  CHECK(lives.delivered_to_gone() == Payloads{"a", "b"});
}

TEST_CASE("records that two cursors need are held once, and those between two shares not at all") {
  Lives lives;
  lives.live(true, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    for (const char* payload : {"a", "b", "c"}) REQUIRE(life.append(lane, payload));
    CHECK(life.queue.usage(lane).held.records == 3);
  });
  lives.live(false, [](QueueLife& life, LaneId lane, CursorId stays, CursorId) {
    REQUIRE(life.append(lane, "d"));
    CHECK(life.queue.usage(lane).held.records == 4);
    life.drain(stays);
    REQUIRE(life.append(lane, "e"));
    CHECK(life.queue.usage(lane).held.records == 4);
  });
}

TEST_CASE("all of a lane together stays within its budget, at the cost of those that are away") {
  Lives lives;
  lives.max_bytes = 20 * cost_of("x0");
  Payloads first;
  for (int i = 0; i < 10; ++i) first.push_back("x" + std::to_string(i));
  lives.append(true, first);
  lives.live(false, [&](QueueLife& life, LaneId lane, CursorId stays, CursorId) {
    for (int i = 0; i < 10; ++i) REQUIRE(life.append(lane, "y0"));
    life.clock.run_for(std::chrono::seconds(5));
    CHECK(usage_of(life, lane, "gone").behind.records == 10);
    for (int i = 0; i < 10; ++i) REQUIRE(life.append(lane, "z0"));  // the other destination is down
    life.clock.run_for(std::chrono::seconds(5));
    const CursorUsage gone = usage_of(life, lane, "gone");
    CHECK(life.queue.usage(lane).held.bytes <= lives.max_bytes);
    CHECK(gone.behind.records + gone.ledger.lost[static_cast<std::size_t>(Reason::budget)] / 10 == 10);
    CHECK(usage_of(life, lane, "stays").behind.records == 20);
    life.drain(stays);
    CHECK(usage_of(life, lane, "stays").ledger.delivered == 10 * 10 + 20);
  });
}

TEST_CASE("a cursor that is away cannot refuse anything, whatever it was before") {
  Lives lives;
  lives.max_bytes = 5 * cost_of("a");
  lives.append(true, {"a", "b", "c", "d", "e"});
  lives.live(true, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    CHECK(life.append(lane, "f").error().code == Errc::over_budget);
  });
  lives.live(false, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    CHECK(life.append(lane, "f").has_value());
    CHECK(life.queue.usage(lane).room_bytes == 4 * cost_of("f"));
  });
}

TEST_CASE("an operator who gives up a cursor that is away gives up its share, and no more") {
  Lives lives;
  lives.append(true, {"a", "b"});
  lives.append(false, {"c", "d", "e"});
  lives.live(false, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    REQUIRE(life.queue.drop_cursor(lane, "gone"));
    life.settle();
    CHECK(life.queue.usage(lane).held == Totals{});
  });
  CHECK(lives.disk.usage().disk_bytes == cost_of("e"));
}

TEST_CASE("a new cursor that begins at the oldest begins behind what may be gone") {
  Lives lives;
  lives.append(true, {"a", "b"});
  lives.append(false, {"c"});
  lives.live(false, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    REQUIRE(life.append(lane, "d"));
    const CursorId late = life.queue.open_cursor(lane, "late", Keep::required, StartAt::oldest);
    CHECK(life.payloads(late) == Payloads{"d"});
    CHECK(usage_of(life, lane, "late").accepted.records == 1);
  });
  lives.live(true, [](QueueLife& life, LaneId lane, CursorId, CursorId) {
    const CursorId later = life.queue.open_cursor(lane, "later", Keep::required, StartAt::oldest);
    CHECK(life.payloads(later) == Payloads{"d"});
  });
}

TEST_CASE("damage within a share is counted, and damage between two is not") {
  Lives lives;
  lives.append(true, {"a", "b", "c"});
  lives.append(false, {"d", "e"});
  lives.append(true, {"f", "g"});
  const LaneId lane = lane_id("metrics");
  REQUIRE(lives.disk.damage(lane, Seq{3}));
  CHECK(lives.delivered_to_gone() == Payloads{"a", "b", "f", "g"});
  lives.live(true, [](QueueLife& life, LaneId lane_of, CursorId, CursorId) {
    CHECK(usage_of(life, lane_of, "gone").ledger.lost[static_cast<std::size_t>(Reason::damaged)] == 10);
  });
}

TEST_CASE("an absence that damage took from the disk is written anew when the store is opened again") {
  Lives lives;
  lives.append(true, {"a", "b"});
  const std::string key = cursor_key("metrics", "gone");
  const std::string before = *lives.disk.meta(key);
  lives.live(false, [&](QueueLife& life, LaneId lane, CursorId, CursorId) {
    REQUIRE(life.append(lane, "c"));
    REQUIRE(life.run(life.queue.flush()));
    lives.disk.set_meta(key, before);  // the copy that reads is an older one
    lives.disk.fail_next_commit(Errc::io_error);
    CHECK_FALSE(life.append(lane, "d"));
    CHECK(life.metrics.commit_failures == 1);
    life.clock.run_for(2 * life.limits.reopen_delay);
    REQUIRE(life.append(lane, "d"));
    life.settle();
  });
  CHECK(decode_cursor(*lives.disk.meta(key))->absences.size() == 1);
  CHECK(lives.delivered_to_gone() == Payloads{"a", "b"});
}

TEST_CASE("a batch from memory ends where a share ends") {
  Lives lives;
  lives.append(true, {"a"});
  lives.append(false, {"b"});
  lives.live(true, [](QueueLife& life, LaneId lane, CursorId, CursorId gone) {
    REQUIRE(life.append(lane, "c"));
    CHECK(life.payloads(gone) == Payloads{"a"});
    REQUIRE(life.queue.ack(gone, {Seq{2}, {}, {}, 0, 0, 0}));
    CHECK(life.payloads(gone) == Payloads{"c"});
  });
}

// ---- the rules by themselves ----

CursorState standing_at(std::uint64_t next) {
  return beginning_at(Seq{next}, {next - 1, 10 * (next - 1), 100 * (next - 1)});
}
LaneState tail_at(std::uint64_t tail) { return {Seq{tail}, {tail, 10 * tail, 100 * tail}}; }

TEST_CASE("to leave twice, or to come back twice, is to do it once") {
  CursorState state = standing_at(3);
  leave(state, tail_at(5));
  CursorState once = state;
  leave(state, tail_at(8));
  CHECK(state == once);
  CHECK(is_away(state));
  come_back(state, tail_at(8));
  once = state;
  come_back(state, tail_at(9));
  CHECK(state == once);
  CHECK_FALSE(is_away(state));
  CHECK(behind(state, tail_at(9).totals) == Totals{4, 40, 400});  // 3, 4, 5 and 9
}

TEST_CASE("to come and go while nothing comes leaves no trace, however often") {
  CursorState state = standing_at(3);
  leave(state, tail_at(5));
  come_back(state, tail_at(8));
  for (int i = 0; i < 1'000; ++i) {
    leave(state, tail_at(8));
    CHECK(is_away(state));
    CHECK(behind(state, tail_at(9).totals) == Totals{3, 30, 300});
    come_back(state, tail_at(8));
  }
  CHECK(state.absences == std::vector<Absence>{{Seq{6}, {5, 50, 500}, Seq{9}, {8, 80, 800}}});
}

TEST_CASE("whoever has nothing left to deliver stands behind the gap when it is back") {
  CursorState state = standing_at(6);
  leave(state, tail_at(5));
  CHECK(behind(state, tail_at(9).totals) == Totals{});
  CHECK_FALSE(has_more(state, tail_at(9)));
  come_back(state, tail_at(9));
  CHECK(state.next == Seq{10});
  CHECK(state.absences.empty());
  CHECK(accepted(state, tail_at(9)) == Totals{});
}

TEST_CASE("an absence in which nothing came is none") {
  CursorState state = standing_at(3);
  const CursorState before = state;
  leave(state, tail_at(5));
  come_back(state, tail_at(5));
  CHECK(state == before);
}

TEST_CASE("what nobody needs is what lies in no share") {
  CursorState away = standing_at(3);
  leave(away, tail_at(5));
  CursorState back = standing_at(2);
  leave(back, tail_at(2));
  come_back(back, tail_at(7));
  const std::array shares{share_from(Seq{3}, away), share_from(Seq{2}, back)};
  CHECK(unneeded(shares, Seq{20}) == Released(Seq{8}, {{Seq{2}, Seq{6}}}));
  // One that stands behind all of them holds nothing more; one in front of them needs what follows.
  const std::array with_ahead{share_from(Seq{3}, away), share_from(Seq{12}, standing_at(12))};
  CHECK(unneeded(with_ahead, Seq{20}) == Released(Seq{12}, {{Seq{3}, Seq{6}}}));
  const std::array with_first{share_from(Seq{3}, away), share_from(Seq{2}, standing_at(2))};
  CHECK(unneeded(with_first, Seq{20}) == Released(Seq{2}));
  const std::array touching{share_from(Seq{3}, away), share_from(Seq{6}, standing_at(6))};
  CHECK(unneeded(touching, Seq{20}) == Released(Seq{3}));
  const std::array nobody{share_from(Seq{6}, away)};
  CHECK(unneeded(nobody, Seq{20}) == Released(Seq{20}));
}

TEST_CASE("released records are known one by one, and as ranges") {
  const Released released(Seq{10}, {{Seq{2}, Seq{4}}, {Seq{6}, Seq{7}}});
  std::string map;
  for (std::uint64_t seq = 0; seq < 12; ++seq) map += released.contains(Seq{seq}) ? 'x' : '.';
  CHECK(map == "xx..xx.xxx..");
  CHECK(released.ranges() == std::vector<SeqRange>{{Seq{0}, Seq{2}}, {Seq{4}, Seq{6}}, {Seq{7}, Seq{10}}});
  CHECK(Released(Seq{0}).ranges().empty());
}

TEST_CASE("a cursor that was away is read as it was written, and one that was not is what it always was") {
  CursorState state = standing_at(3);
  CHECK(encode(state)[0] == 2);  // an older agent reads it
  leave(state, tail_at(5));
  CHECK(decode_cursor(encode(state)) == state);
  come_back(state, tail_at(7));
  leave(state, tail_at(9));
  const std::string value = encode(state);
  CHECK(decode_cursor(value) == state);
  CHECK(value[0] == 3);
  for (std::size_t size = 0; size < value.size(); ++size) CHECK_FALSE(decode_cursor(value.substr(0, size)));
}

TEST_CASE("absences that cannot be are not read") {
  const Totals at{5, 50, 500};
  const auto with = [](std::vector<Absence> absences) {
    CursorState state = standing_at(3);
    state.absences = std::move(absences);
    return encode(state);
  };
  CHECK(decode_cursor(with({{Seq{6}, at, Seq{8}, at}})));
  CHECK_FALSE(decode_cursor(with({{Seq{2}, at, Seq{8}, at}})));                        // behind the cursor
  CHECK_FALSE(decode_cursor(with({{Seq{6}, at, Seq{6}, at}})));                        // of nothing
  CHECK_FALSE(decode_cursor(with({{Seq{6}, at, {}, {}}, {Seq{8}, at, Seq{9}, at}})));  // lasts, and is over
  CHECK_FALSE(decode_cursor(with({{Seq{6}, at, Seq{8}, at}, {Seq{7}, at, Seq{9}, at}})));  // one in the other
  CHECK_FALSE(decode_cursor(with({{Seq{6}, at, Seq{~std::uint64_t{0}}, at}})));  // no number of ours
}

}  // namespace
}  // namespace tideover::wal
