// One ordered stream of records in memory: its tail, what is on its way to disk, and the fresh records that a
// healthy sender reads without touching the disk.
//
// Three positions: durable tail <= sealed (in the group under way); waiting records have no number yet.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "wal/queue_state.h"
#include "wal/record.h"

namespace tideover::wal {

struct Signal;

class Lane {
 public:
  // `signal` outlives the lane.
  Lane(std::string name, LaneId id, Signal& signal);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  const std::string& name() const { return name_; }
  LaneId id() const { return id_; }
  std::uint32_t check() const { return check_; }  // of its name, as its records carry it
  const LaneState& durable() const { return durable_; }
  const LaneState& sealed() const { return sealed_; }
  Signal& signal() const { return *signal_; }
  void join(Signal& signal);

  std::uint64_t waiting_bytes() const { return waiting_bytes_; }  // appended, in no group yet
  void wait(std::uint64_t bytes) { waiting_bytes_ += bytes; }
  void wait_no_more(std::uint64_t bytes) { waiting_bytes_ -= bytes; }

  // Of what the store read, what was written to this lane.
  std::vector<StoredRecord> own(std::vector<StoredRecord> records) const;

  // No number is left to give: nothing but a meta value that was made up brings a lane there.
  bool is_full() const;

  // Gives the record its number and totals and fills its envelope.
  StoredRecord seal(NewRecord record);

  // The group under way became durable: its records are fresh from now on, as far as the signal has room.
  void settle(std::vector<StoredRecord> group);

  // The group under way failed: its numbers are given again.
  void unseal() { sealed_ = durable_; }

  // What the store says after it was opened, or opened again.
  void adopt(const LaneState& durable);

  // Fresh records from `from` on until `max_bytes` are reached, at least one; empty when `from` is not in
  // memory.
  std::vector<StoredRecord> fresh(Seq from, std::uint64_t max_bytes) const;
  std::uint64_t fresh_bytes() const { return fresh_bytes_; }

  void forget_before(Seq seq);  // no cursor needs them any more
  void forget_first();

 private:
  const std::string name_;
  const LaneId id_;
  const std::uint32_t check_;
  Signal* signal_;
  LaneState durable_;
  LaneState sealed_;
  std::deque<StoredRecord> fresh_;  // contiguous, ends at the durable tail
  std::uint64_t fresh_bytes_ = 0;
  std::uint64_t waiting_bytes_ = 0;
};

}  // namespace tideover::wal
