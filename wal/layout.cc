#include "wal/layout.h"

#include <algorithm>
#include <utility>

namespace tideover::wal {
namespace {

// Walks from the cursor's place, one boundary at a time.
class Walk {
 public:
  explicit Walk(const CursorState& cursor)
      : unknown_before_(cursor.unknown_before), at_{cursor.next, cursor.settled} {}

  Seq next() const { return at_.next; }
  const Totals& through() const { return at_.settled; }

  // Nothing was read from here to `next`, where the totals are `settled`. Smaller ones than here say nothing.
  void pass_damage(Seq next, const Totals& settled) {
    const Totals gap = distance(at_.settled, settled);
    if (!(next <= unknown_before_)) {
      at_.damaged_records += gap.records;
      at_.damaged_units += gap.units;
    }
    stand(next, settled);
  }

  void pass(const StoredRecord& record) {
    const std::uint64_t own = record.attributes.units;
    // Of a pack in whose midst the cursor stands, some is settled; of one with holes, some is damaged.
    const bool whole = record.span == 1;
    const std::uint64_t rest = whole ? own : distance(at_.settled, record.through).units;
    const std::uint64_t left = std::min(own, rest);
    at_.units += left;
    at_.carried += own;
    at_.damaged_units += rest - left;
    stand(tideover::next(record.seq), record.through);
  }

  std::vector<Boundary> finish() { return std::move(boundaries_); }

 private:
  void stand(Seq next, const Totals& settled) {
    at_.next = next;
    at_.settled = settled;
    boundaries_.push_back(at_);
  }

  const Seq unknown_before_;
  Boundary at_;
  std::vector<Boundary> boundaries_;
};

// Totals in front of a record. Of a pack, the bytes that it replaced are not known: they settle with it.
Totals in_front_of(const StoredRecord& record, const Totals& through) {
  Totals front = before(record);
  if (record.span > 1) front.bytes = through.bytes;
  return front;
}

}  // namespace

std::optional<Layout> lay_out(const CursorState& cursor, std::vector<StoredRecord> records, Seq next,
                              const LaneState& tail) {
  Walk walk(cursor);
  std::vector<StoredRecord> fit;
  fit.reserve(records.size());
  for (StoredRecord& record : records) {
    if (record.seq < walk.next() || !(record.seq < next)) continue;
    if (walk.next() < record.first()) walk.pass_damage(record.first(), in_front_of(record, walk.through()));
    walk.pass(record);
    fit.push_back(std::move(record));
  }
  // Damage up to the tail, whose totals are kept apart.
  if (walk.next() < next && next == tideover::next(tail.tail)) walk.pass_damage(next, tail.totals);
  Layout layout;
  layout.batch.first = cursor.next;
  layout.batch.next = walk.next();
  layout.boundaries = walk.finish();
  if (layout.boundaries.empty()) {
    if (cursor.next < next) return std::nullopt;
    return layout;
  }
  layout.batch.records = std::move(fit);
  layout.batch.damaged_records = layout.boundaries.back().damaged_records;
  layout.batch.damaged_units = layout.boundaries.back().damaged_units;
  return layout;
}

}  // namespace tideover::wal
