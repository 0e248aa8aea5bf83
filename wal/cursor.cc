#include "wal/cursor.h"

#include <algorithm>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover::wal {
namespace {

Totals before(const StoredRecord& record) {
  return record.through - Totals{1, record.attributes.units, record.bytes->size()};
}

}  // namespace

std::optional<Batch> Cursor::lay_out(std::vector<StoredRecord> records, Seq next, const LaneState& tail) {
  boundaries_.clear();
  trimmed_ = false;
  Batch batch;
  batch.first = state_.next;
  batch.next = state_.next;
  Totals through = state_.settled;
  const auto place = [&](Seq at, const Totals& settled) {
    boundaries_.push_back({at, settled, batch.damaged_records, batch.damaged_units});
    batch.next = at;
    through = settled;
  };
  for (const StoredRecord& record : records) {
    if (batch.next < record.seq) {  // a gap: the totals of its neighbours say what it held
      const Totals gap = before(record) - through;
      batch.damaged_records += gap.records;
      batch.damaged_units += gap.units;
      place(record.seq, before(record));
    }
    place(tideover::next(record.seq), record.through);
  }
  if (batch.next < next &&
      next == tideover::next(tail.tail)) {  // damage up to the tail, whose totals are kept apart
    const Totals gap = tail.totals - through;
    batch.damaged_records += gap.records;
    batch.damaged_units += gap.units;
    place(next, tail.totals);
  }
  if (boundaries_.empty() && state_.next < next) return std::nullopt;
  batch.records = std::move(records);
  return batch;
}

std::optional<std::uint64_t> Cursor::apply(const Ack& ack, std::uint64_t diverted_units) {
  if (trimmed_) return std::nullopt;
  const auto to = std::find_if(boundaries_.begin(), boundaries_.end(),
                               [&](const Boundary& b) { return b.next == ack.upto; });
  invariant(to != boundaries_.end(), "a cursor moves to the boundary of a record that was read");
  const Boundary reached = *to;
  std::uint64_t left = reached.settled.units - state_.settled.units;
  const auto take = [&left](std::uint64_t units) {
    invariant(units <= left, "no more units are lost or diverted than the records hold");
    left -= units;
    return units;
  };
  Ledger& ledger = state_.ledger;
  ledger.lost[static_cast<std::size_t>(Reason::damaged)] += take(reached.damaged_units);
  for (const Ack::Loss& loss : ack.losses)
    ledger.lost[static_cast<std::size_t>(loss.reason)] += take(loss.units);
  ledger.diverted += take(diverted_units);
  ledger.delivered += left;
  ledger.probable_duplicates += ack.probable_duplicates;
  ledger.under_reported += ack.under_reported;
  ledger.stripped += ack.stripped;
  state_.next = reached.next;
  state_.settled = reached.settled;
  boundaries_.erase(boundaries_.begin(), to + 1);
  for (Boundary& b : boundaries_) {
    b.damaged_records -= reached.damaged_records;
    b.damaged_units -= reached.damaged_units;
  }
  return reached.damaged_records;
}

std::optional<std::uint64_t> Cursor::trim(std::vector<StoredRecord> records, Seq next,
                                          const LaneState& tail) {
  const auto batch = lay_out(std::move(records), next, tail);
  if (!batch) return std::nullopt;
  Ack ack;
  ack.upto = batch->next;
  for (const StoredRecord& record : batch->records)
    ack.losses.push_back({Reason::budget, record.attributes.units});
  const auto damaged = apply(ack, 0);
  trimmed_ = true;
  return damaged;
}

void Cursor::give_up(const LaneState& tail) {
  state_.ledger.lost[static_cast<std::size_t>(Reason::operator_drop)] +=
      tail.totals.units - state_.settled.units;
  state_.next = tideover::next(tail.tail);
  state_.settled = tail.totals;
  boundaries_.clear();
}

}  // namespace tideover::wal
