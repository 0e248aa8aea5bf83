// The bounds of the small parts: the size that works, what is kept of a refusal, what is given up with a
// destination.
#include <catch2/catch.hpp>
#include <string>

#include "forwarders/give_up.h"
#include "forwarders/reject_record.h"
#include "forwarders/side_lanes.h"
#include "forwarders/working_size.h"
#include "tests/unit/wal/queue_life.h"

namespace tideover::forward {
namespace {

TEST_CASE(
    "the size that works is halved by a refusal, never below one, and doubled again after 64 that passed") {
  RequestLimits limits;
  limits.units = 10'000;
  WorkingSize size(limits);
  CHECK_FALSE(size.reduced());
  size.refused(8'000);
  CHECK(size.units() == 4'000);
  CHECK(size.reduced());
  CHECK(size.limits().units == 4'000);
  CHECK(size.limits().raw_bytes == limits.raw_bytes * 4 / 10);
  size.refused(100'000);  // of an older, larger request: half of what is known is less
  CHECK(size.units() == 2'000);
  for (int i = 0; i < 20; ++i) size.refused(1);
  CHECK(size.units() == 1);
  CHECK(size.limits().raw_bytes >= 1);

  for (int i = 0; i < 63; ++i) size.passed(1);
  CHECK(size.units() == 1);
  size.passed(1);
  CHECK(size.units() == 2);
  size.refused(16);
  WorkingSize large(limits);
  large.refused(1'600);
  for (int i = 0; i < 1'000; ++i) large.passed(500);  // less than three quarters: says nothing of the limit
  CHECK(large.units() == 800);
  for (int i = 0; i < 64; ++i) large.passed(800);
  CHECK(large.units() == 1'600);
  for (int i = 0; i < 64 * 100; ++i) large.passed(large.units());
  CHECK(large.units() == 10'000);
  CHECK_FALSE(large.reduced());
}

TEST_CASE("what is kept of a refusal is bounded, whatever the series and the receiver's words are") {
  RejectNote note;
  note.reason = "bad_request";
  note.destination = "thanos";
  note.sentence = "HTTP 400: no";
  note.item = std::string(100'000, 'x');
  note.units = 3;
  note.refused_ms = 42;
  note.encoding = 2;
  const wal::NewRecord record = reject_record(note, wal::record_of("message"));
  CHECK(record.bytes.size() < 2'000 + wal::kEnvelopeBytes);
  const auto view = read_reject(record.payload());
  REQUIRE(view.has_value());
  CHECK(view->note.item == std::string(1'000, 'x'));
  CHECK(view->note.sentence == note.sentence);
  CHECK(view->note.reason == note.reason);
  CHECK(view->note.destination == note.destination);
  CHECK(view->note.units == 3);
  CHECK(view->note.refused_ms == 42);
  CHECK(view->note.encoding == 2);
  CHECK(view->message == "message");
}

TEST_CASE(
    "with a destination goes everything that only it still needs, in every lane of it and in no other's") {
  wal::MemStore disk;
  wal::QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  for (const std::string name : {"gone", "stays"}) {
    life.queue.open_cursor(lane, name, wal::Keep::required, wal::StartAt::oldest);
    for (const std::string_view kind : kSideLanes) {
      const LaneId side = life.queue.open_lane(side_lane_name("metrics", kind, name), {0, false});
      life.queue.open_cursor(side, name, wal::Keep::best_effort, wal::StartAt::oldest);
      REQUIRE(life.append(side, "aside").has_value());
    }
  }
  CHECK(give_up_destination(life.queue, "metrics", "nobody").error().code == Errc::not_found);
  REQUIRE(give_up_destination(life.queue, "metrics", "gone").has_value());
  CHECK(life.queue.cursors(lane).size() == 1);
  for (const std::string_view kind : kSideLanes) {
    CAPTURE(std::string(kind));
    CHECK(life.queue.cursors(life.queue.open_lane(side_lane_name("metrics", kind, "gone"), {0, false}))
              .empty());
    CHECK(life.queue.cursors(life.queue.open_lane(side_lane_name("metrics", kind, "stays"), {0, false}))
              .size() == 1);
  }
}

}  // namespace
}  // namespace tideover::forward
