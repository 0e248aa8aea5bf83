#include "tests/sim/disk.h"

#include <algorithm>
#include <utility>

#include "wal/queue_state.h"

namespace tideover::sim {
namespace {

Error power_is_off() { return fail(Errc::unavailable, "the power is off"); }

// Records of a lane that intake does not write to.
bool sets_aside(const wal::StoreBatch& batch) {
  static const LaneId intake = wal::lane_id("metrics");
  return std::any_of(batch.records.begin(), batch.records.end(),
                     [](const wal::StoreBatch::Put& put) { return put.lane != intake; });
}

}  // namespace

void Disk::cut_at_commit(Cut cut, std::function<void()> then, int skip) {
  cut_ = cut;
  skip_ = skip;
  on_cut_ = std::move(then);
}

void Disk::give_space_back_late(bool late) {
  lazy_ = late;
  memory_.set_lazy_release(late);
}

Disk::Bytes Disk::lend(const Bytes& bytes) {
  auto copy = std::make_shared<const std::string>(*bytes);
  lent_.push_back(copy);
  return copy;
}

std::uint64_t Disk::lent_bytes() {
  std::uint64_t bytes = 0;
  std::erase_if(lent_, [&bytes](const auto& lent) {
    const Bytes held = lent.lock();
    if (held) bytes += held->size();
    return !held;
  });
  return bytes;
}

Result<wal::StoreImage> Disk::open() {
  if (full_) {
    happened_.add(Fault::open_fails);
    return fail(Errc::disk_full, "the disk is full");
  }
  if (rng_.chance(faults_.reopen_fails)) {
    happened_.add(Fault::open_fails);
    return fail(Errc::io_error, "the disk fails to open");
  }
  auto image = memory_.open();
  if (image && doubtful_) {
    happened_.add(Fault::commit_in_doubt);
    witness_.committed(*std::exchange(doubtful_, std::nullopt));
  }
  return image;
}

Result<> Disk::commit(const wal::StoreBatch& batch) {
  const double often =
      sets_aside(batch) ? std::max(faults_.commit_fails, faults_.divert_fails) : faults_.commit_fails;
  const bool fails = full_ || rng_.chance(often);
  // The disk keeps bytes of its own: what the agent goes on holding is then its own, and can be counted.
  wal::StoreBatch copy = batch;
  for (wal::StoreBatch::Put& put : copy.records) {
    lent_.push_back(put.bytes);
    put.bytes = std::make_shared<const std::string>(*put.bytes);
  }
  if (!fails) {
    auto done = memory_.commit(copy);
    if (done)
      witness_.committed(copy);
    else if (done.error().code == Errc::disk_full)
      happened_.add(Fault::disk_full);
    return done;
  }
  const Errc code = full_ || rng_.chance(0.5) ? Errc::disk_full : Errc::io_error;
  const bool applied = code == Errc::io_error && rng_.chance(0.5);
  memory_.fail_next_commit(code, applied ? wal::MemStore::Outcome::applied : wal::MemStore::Outcome::lost);
  auto failed = memory_.commit(copy);
  if (!failed && failed.error().code == Errc::unavailable) {
    memory_.heal();  // the store was not open: the fault did not happen
    return failed;
  }
  if (applied)
    doubtful_ = std::move(copy);
  else
    happened_.add(code == Errc::disk_full ? Fault::disk_full : Fault::commit_lost);
  return failed;
}

Result<wal::ReadRange> Disk::read(const wal::ReadRequest& request) {
  if (rng_.chance(faults_.read_fails)) {
    happened_.add(Fault::read_fails);
    return fail(Errc::io_error, "the disk fails to read");
  }
  auto range = memory_.read(request);
  if (range)
    for (wal::StoredRecord& record : range->records) record.bytes = lend(record.bytes);
  return range;
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
  if (disk_.cut_ == Cut::before_divert && !sets_aside(batch)) return disk_.commit(batch);
  if (disk_.skip_ > 0 && disk_.skip_-- > 0) return disk_.commit(batch);
  Cut cut = std::exchange(disk_.cut_, Cut::none);
  if (cut == Cut::during_commit) cut = disk_.rng_.chance(0.5) ? Cut::before_commit : Cut::after_commit;
  if (cut == Cut::before_commit || cut == Cut::before_divert) std::exchange(disk_.on_cut_, nullptr)();
  if (frozen_) return power_is_off();
  auto done = disk_.commit(batch);
  if (cut == Cut::after_commit) std::exchange(disk_.on_cut_, nullptr)();
  return done;
}

Result<wal::ReadRange> Disk::Handle::read(const wal::ReadRequest& request) {
  if (frozen_) return power_is_off();
  return disk_.read(request);
}

void Disk::Handle::release(LaneId lane, Seq before) {
  if (frozen_) return;
  if (disk_.lazy_) disk_.happened_.add(Fault::space_given_back_late);
  disk_.memory_.release(lane, before);
  disk_.witness_.released(lane, before);
}

}  // namespace tideover::sim
