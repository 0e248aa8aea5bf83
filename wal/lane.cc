#include "wal/lane.h"

#include <utility>

#include "wal/base/invariant.h"
#include "wal/wal_format.h"

namespace tideover::wal {

StoredRecord Lane::seal(NewRecord record) {
  const Totals own{1, record.attributes.units, record.bytes.size()};
  sealed_ = {next(sealed_.tail), sealed_.totals + own};
  seal_envelope(record, sealed_.tail, sealed_.totals);
  return {sealed_.tail, sealed_.totals, record.attributes,
          std::make_shared<const std::string>(std::move(record.bytes))};
}

void Lane::settle(std::vector<StoredRecord> group, std::uint64_t fresh_bytes_max) {
  for (StoredRecord& record : group) {
    invariant(record.seq == next(durable_.tail), "records become durable in the order of their numbers");
    durable_ = {record.seq, record.through};
    fresh_bytes_ += record.bytes->size();
    fresh_.push_back(std::move(record));
  }
  while (fresh_bytes_ > fresh_bytes_max) forget_first();
}

void Lane::adopt(const LaneState& durable) {
  durable_ = durable;
  sealed_ = durable;
  fresh_.clear();  // they end at a tail that may not be the tail any more
  fresh_bytes_ = 0;
}

std::vector<StoredRecord> Lane::fresh(Seq from, std::uint64_t max_bytes) const {
  std::vector<StoredRecord> records;
  if (fresh_.empty() || from < fresh_.front().seq || durable_.tail < from) return records;
  std::uint64_t bytes = 0;
  for (auto it = fresh_.begin() + static_cast<std::ptrdiff_t>(from.value - fresh_.front().seq.value);
       it != fresh_.end() && (records.empty() || bytes < max_bytes); ++it) {
    bytes += it->bytes->size();
    records.push_back(*it);
  }
  return records;
}

void Lane::forget_before(Seq seq) {
  while (!fresh_.empty() && fresh_.front().seq < seq) forget_first();
}

void Lane::forget_first() {
  fresh_bytes_ -= fresh_.front().bytes->size();
  fresh_.pop_front();
}

}  // namespace tideover::wal
