// One ordered stream of records in memory: its tail, what is on its way to disk, and the fresh records that a
// healthy sender reads without touching the disk.
//
// Three positions: durable tail <= sealed (in the group under way); waiting records have no number yet.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "wal/queue_state.h"
#include "wal/record.h"

namespace tideover::wal {

class Lane {
 public:
  Lane(std::string name, const LaneState& durable)
      : name_(std::move(name)), id_(lane_id(name_)), durable_(durable), sealed_(durable) {}

  const std::string& name() const { return name_; }
  LaneId id() const { return id_; }
  const LaneState& durable() const { return durable_; }
  const LaneState& sealed() const { return sealed_; }

  // Gives the record its number and totals and fills its envelope.
  StoredRecord seal(NewRecord record);

  // The group under way became durable: its records are fresh from now on, up to `fresh_bytes_max` in all.
  void settle(std::vector<StoredRecord> group, std::uint64_t fresh_bytes_max);

  // The group under way failed: its numbers are given again.
  void unseal() { sealed_ = durable_; }

  // What the store says after it was opened again.
  void adopt(const LaneState& durable);

  // Fresh records from `from` on until `max_bytes` are reached, at least one; empty when `from` is not in
  // memory.
  std::vector<StoredRecord> fresh(Seq from, std::uint64_t max_bytes) const;

  void forget_before(Seq seq);  // no cursor needs them any more

 private:
  void forget_first();

  const std::string name_;
  const LaneId id_;
  LaneState durable_;
  LaneState sealed_;
  std::deque<StoredRecord> fresh_;  // contiguous, ends at the durable tail
  std::uint64_t fresh_bytes_ = 0;
};

}  // namespace tideover::wal
