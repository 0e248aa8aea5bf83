// The disk of the simulated node: outlives the agents that use it, fails by chance, and loses power on
// demand.
//
// Every agent gets a handle of its own. A crash freezes the handle first: whatever the dying agent still does
// on its way down has no effect any more, so it can be taken down by its ordinary stop, without leaks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/mem_store.h"
#include "tests/support/sim_faults.h"
#include "wal/base/rng.h"
#include "wal/store.h"

namespace tideover::sim {

// Hears what is durable, at the instant at which it is.
class DiskWitness {
 public:
  virtual ~DiskWitness() = default;
  virtual void committed(const wal::StoreBatch& batch) = 0;
  virtual void released(LaneId lane, const wal::Released& released) = 0;
  virtual void lost(LaneId lane, Seq seq) = 0;  // nobody will ever read it again
};

struct DiskFaults {
  double commit_fails = 0;  // EIO or ENOSPC, once; whether the batch reached the disk is up to chance
  double divert_fails = 0;  // the same, of commits that set records aside
  double reopen_fails = 0;  // after such a failure
  double read_fails = 0;
  // Of a read: some records in it cannot be read for the next few attempts. Then they are there again
  // (sectors_fail), or the store passes over them (sectors_lost).
  double sectors_fail = 0;
  double sectors_lost = 0;
  double sectors_lost_at_open =
      0;  // of an opening: some records cannot be read any more, and the store knows
};

// Where the power goes off.
enum class Cut : std::uint8_t {
  none,
  before_commit,
  before_divert,  // of the next commit that sets records aside
  during_commit,
  after_commit,
};

class Disk {
 public:
  class Handle;

  // Both outlive the disk.
  Disk(Rng rng, DiskWitness& witness, FaultCounts& happened)
      : rng_(rng), witness_(witness), happened_(happened) {}

  void set_faults(const DiskFaults& faults) { faults_ = faults; }
  void set_full(bool full) { full_ = full; }  // every commit fails with ENOSPC
  void set_free_bytes(std::uint64_t bytes) { memory_.set_free_bytes(bytes); }
  void set_total_bytes(std::uint64_t bytes) { memory_.set_total_bytes(bytes); }
  void give_space_back_late(bool late);  // released records are found again by the next life
  bool damage(LaneId lane, Seq seq) { return memory_.damage(lane, seq); }

  // The power goes off at the next commit, or `skip` commits later: `then` runs at that instant and freezes
  // the handle.
  void cut_at_commit(Cut cut, std::function<void()> then, int skip = 0);

  // Bytes of records that agents hold: handed out by reads, or committed and not let go yet.
  std::uint64_t lent_bytes();

 private:
  using Bytes = std::shared_ptr<const std::string>;

  Result<wal::StoreImage> open();
  Result<> commit(const wal::StoreBatch& batch);
  Result<wal::ReadRange> read(const wal::ReadRequest& request);
  void spoil(LaneId lane, const std::vector<wal::StoredRecord>& records, bool for_good);
  Result<> meet_bad_sectors(LaneId lane, wal::ReadRange& range);
  void lose_sectors(const wal::StoreImage& image);
  bool lose(LaneId lane, Seq seq);
  Bytes lend(const Bytes& bytes);

  Rng rng_;
  DiskWitness& witness_;
  FaultCounts& happened_;
  wal::MemStore memory_;
  DiskFaults faults_;
  bool full_ = false;
  bool lazy_ = false;
  Cut cut_ = Cut::none;
  int skip_ = 0;
  std::function<void()> on_cut_;
  struct Bad {
    std::uint64_t attempts = 0;  // that still fail
    bool for_good = false;
  };
  std::map<std::pair<LaneId, Seq>, Bad> bad_;
  std::optional<wal::StoreBatch> doubtful_;  // failed, and will be found there when the store is opened again
  std::vector<std::weak_ptr<const std::string>> lent_;
};

// What one agent holds of the disk. `disk` outlives it.
class Disk::Handle final : public wal::Store {
 public:
  explicit Handle(Disk& disk) : disk_(disk) {}

  void freeze();  // the agent is dead from here on, whether it knows or not
  bool frozen() const { return frozen_; }

  Result<wal::StoreImage> open() override;
  Result<> commit(const wal::StoreBatch& batch) override;
  Result<wal::ReadRange> read(const wal::ReadRequest& request) override;
  void release(LaneId lane, const wal::Released& released) override;
  wal::StoreUsage usage() const override { return disk_.memory_.usage(); }

 private:
  Disk& disk_;
  bool frozen_ = false;
};

}  // namespace tideover::sim
