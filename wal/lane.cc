#include "wal/lane.h"

#include <algorithm>
#include <utility>

#include "wal/base/invariant.h"
#include "wal/signal.h"
#include "wal/wal_format.h"

namespace tideover::wal {

Lane::Lane(std::string name, LaneId id, Signal& signal)
    : name_(std::move(name)), id_(id), check_(name_check(name_)), signal_(&signal) {
  signal_->lanes.push_back(this);
}

Lane::~Lane() {
  signal_->fresh_bytes -= fresh_bytes_;
  std::erase(signal_->lanes, this);
}

void Lane::join(Signal& signal) {
  if (&signal == signal_) return;
  signal_->fresh_bytes -= fresh_bytes_;
  std::erase(signal_->lanes, this);
  signal_ = &signal;
  signal_->lanes.push_back(this);
  signal_->fresh_bytes += fresh_bytes_;
  signal_->make_fresh_fit();
}

std::vector<StoredRecord> Lane::own(std::vector<StoredRecord> records) const {
  std::erase_if(records, [this](const StoredRecord& record) {
    return record.name_check != 0 && record.name_check != check_;
  });
  return records;
}

bool Lane::is_full() const {
  const Totals& t = sealed_.totals;
  return std::max({sealed_.tail.value, t.records, t.units, t.bytes}) >= kNumberMax / 2;
}

StoredRecord Lane::seal(NewRecord record) {
  const Totals own{1, record.attributes.units, record.bytes.size()};
  sealed_ = {next(sealed_.tail), sealed_.totals + own};
  seal_envelope(record, sealed_.tail, sealed_.totals, check_);
  StoredRecord sealed;
  sealed.seq = sealed_.tail;
  sealed.through = sealed_.totals;
  sealed.attributes = record.attributes;
  sealed.bytes = std::make_shared<const std::string>(std::move(record.bytes));
  sealed.name_check = check_;
  return sealed;
}

void Lane::settle(std::vector<StoredRecord> group) {
  for (StoredRecord& record : group) {
    invariant(record.seq == next(durable_.tail), "records become durable in the order of their numbers");
    durable_ = {record.seq, record.through};
    fresh_bytes_ += record.bytes->size();
    signal_->fresh_bytes += record.bytes->size();
    fresh_.push_back(std::move(record));
  }
  signal_->make_fresh_fit();
}

void Lane::adopt(const LaneState& durable) {
  if (durable.tail != durable_.tail)  // they would end at a tail that is not the tail any more
    while (!fresh_.empty()) forget_first();
  durable_ = durable;
  sealed_ = durable;
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
  const std::uint64_t bytes = fresh_.front().bytes->size();
  fresh_bytes_ -= bytes;
  signal_->fresh_bytes -= bytes;
  fresh_.pop_front();
}

}  // namespace tideover::wal
