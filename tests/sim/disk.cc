#include "tests/sim/disk.h"

#include <utility>

namespace tideover::sim {
namespace {

Error power_is_off() { return fail(Errc::unavailable, "the power is off"); }

}  // namespace

void Disk::cut_at_commit(Cut cut, std::function<void()> then) {
  cut_ = cut;
  on_cut_ = std::move(then);
}

Result<wal::StoreImage> Disk::open() {
  if (full_) return fail(Errc::disk_full, "the disk is full");
  if (rng_.chance(faults_.reopen_fails)) return fail(Errc::io_error, "the disk fails to open");
  auto image = memory_.open();
  if (image && doubtful_) witness_.committed(*std::exchange(doubtful_, std::nullopt));
  return image;
}

Result<> Disk::commit(const wal::StoreBatch& batch) {
  const bool fails = full_ || rng_.chance(faults_.commit_fails);
  if (!fails) {
    auto done = memory_.commit(batch);
    if (done) witness_.committed(batch);
    return done;
  }
  const Errc code = full_ || rng_.chance(0.5) ? Errc::disk_full : Errc::io_error;
  const bool applied = code == Errc::io_error && rng_.chance(0.5);
  memory_.fail_next_commit(code, applied ? wal::MemStore::Outcome::applied : wal::MemStore::Outcome::lost);
  auto failed = memory_.commit(batch);
  if (!failed && failed.error().code == Errc::unavailable) {
    memory_.heal();  // the store was not open: the fault did not happen
  } else if (applied) {
    doubtful_ = batch;
  }
  return failed;
}

void Disk::Handle::freeze() {
  if (std::exchange(frozen_, true)) return;
  disk_.memory_.crash();
}

Result<wal::StoreImage> Disk::Handle::open() {
  if (frozen_) return power_is_off();
  return disk_.open();
}

Result<> Disk::Handle::commit(const wal::StoreBatch& batch) {
  if (frozen_) return power_is_off();
  const Cut cut = std::exchange(disk_.cut_, Cut::none);
  if (cut == Cut::before_commit) std::exchange(disk_.on_cut_, nullptr)();
  if (frozen_) return power_is_off();
  auto done = disk_.commit(batch);
  if (cut == Cut::after_commit) std::exchange(disk_.on_cut_, nullptr)();
  return done;
}

Result<wal::ReadRange> Disk::Handle::read(const wal::ReadRequest& request) {
  if (frozen_) return power_is_off();
  if (disk_.rng_.chance(disk_.faults_.read_fails)) return fail(Errc::io_error, "the disk fails to read");
  return disk_.memory_.read(request);
}

void Disk::Handle::release(LaneId lane, Seq before) {
  if (frozen_) return;
  disk_.memory_.release(lane, before);
  disk_.witness_.released(lane, before);
}

}  // namespace tideover::sim
