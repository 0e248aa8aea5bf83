#include "wal/backlog_reader.h"

#include <utility>

#include "wal/read_on_worker.h"

namespace tideover::wal {
namespace {

// Diverted records wait in memory while the disk is full: beyond this no more of their signal is read, so no
// more is diverted.
constexpr std::uint64_t kDivertBytesMax = 8 << 20;

}  // namespace

awaitable<Result<Batch>> BacklogReader::read(OpenCursor& open, std::uint64_t max_bytes) {
  Seq start = open.cursor.state().next;
  Seq from = start;
  while (true) {  // usually once; on after damage, until something readable or the tail says how much it held
    if (stopping_) co_return fail(Errc::stopping, "the agent is shutting down");
    if (open.dropped) co_return fail(Errc::not_found, "the cursor was dropped by an operator");
    if (open.lane.signal().divert_bytes > kDivertBytesMax)
      co_return fail(Errc::unavailable,
                     "records set aside wait for the disk: no more is read until they are safe");
    // A crash would bring back what was dropped, and nobody could tell a refusal for its order, behind what
    // was sent since, from that of a repetition.
    if (open.cursor.durable_next() < open.trimmed_to) {
      const bool durable = co_await drop_is_durable(open);
      if (!durable)
        co_return fail(Errc::unavailable, "no more is read until what was dropped is dropped for good");
      continue;
    }
    if (start != open.cursor.state().next) start = from = open.cursor.state().next;  // trimmed meanwhile
    const LaneState tail = reach(open.cursor.state(), open.lane.durable());
    if (tail.tail < from) co_return Batch{from, from, {}, 0, 0};
    std::vector<StoredRecord> records = open.lane.fresh(from, max_bytes);
    std::erase_if(records, [&tail](const StoredRecord& record) { return tail.tail < record.seq; });
    Seq end = records.empty() ? from : next(records.back().seq);
    if (records.empty()) {
      const ReadRequest request{open.lane.id(), from, next(tail.tail), max_bytes};
      Result<ReadRange> range = co_await read_on(worker_, store_, request);
      if (!range) co_return range.error();
      if (open.dropped || start != open.cursor.state().next) continue;
      if (!(from < range->next)) co_return fail(Errc::io_error, "the store gave nothing of what it holds");
      records = open.lane.own(std::move(range->records));
      end = range->next;
    }
    from = end;
    if (!records.empty()) open.oldest_ms = records.front().attributes.arrival_ms;
    std::optional<Batch> batch = open.cursor.lay_out(std::move(records), end, tail);
    if (batch) co_return std::move(*batch);
  }
}

awaitable<bool> BacklogReader::drop_is_durable(OpenCursor& open) {
  const Time patience = clock_.now() + 2 * limits_.ack_delay;
  open.held_up = true;
  while (open.cursor.durable_next() < open.trimmed_to && !stopping_ && clock_.now() < patience)
    co_await open.readable.wait_until(patience);
  open.held_up = false;
  co_return open.cursor.durable_next() >= open.trimmed_to;
}

}  // namespace tideover::wal
