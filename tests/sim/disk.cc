#include "tests/sim/disk.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "wal/queue_state.h"

namespace tideover::sim {
namespace {

constexpr std::uint64_t kAttemptsMax = 4;  // at a bad sector
constexpr std::uint64_t kSectorsMax = 6;   // that go bad at one time, or now and then:
constexpr std::uint64_t kManySectors = 60;
constexpr std::uint64_t kPassedAtOnce = 3;  // damaged records, by one read

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
  if (!image || !rng_.chance(faults_.sectors_lost_at_open)) return image;
  lose_sectors(*image);
  return memory_.open();  // the tail may be another now
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
  if (!range) return range;
  // Behind damage numbers are looked up one by one, and only so many at a time.
  const Seq found = range->records.empty() ? range->next : range->records.front().seq;
  if (found.value > request.from.value + kPassedAtOnce)
    return wal::ReadRange{.records = {}, .next = Seq{request.from.value + kPassedAtOnce}};
  if (!range->records.empty() && rng_.chance(faults_.sectors_fail))
    spoil(request.lane, range->records, false);
  if (!range->records.empty() && rng_.chance(faults_.sectors_lost)) spoil(request.lane, range->records, true);
  if (auto met = meet_bad_sectors(request.lane, *range); !met) return met.error();
  for (wal::StoredRecord& record : range->records) record.bytes = lend(record.bytes);
  return range;
}

// One record, or a run of neighbours.
void Disk::spoil(LaneId lane, const std::vector<wal::StoredRecord>& records, bool for_good) {
  const Bad bad{1 + rng_.below(kAttemptsMax), for_good};
  const std::size_t first = rng_.below(records.size());
  const std::size_t count = rng_.chance(0.5) ? 1 : 1 + rng_.below(kSectorsMax);
  for (std::size_t i = first; i < records.size() && i < first + count; ++i)
    bad_.try_emplace({lane, records[i].seq}, bad);
}

// What stands in front of a bad sector is read; one that begins with it fails, until it is well again or is
// given up.
Result<> Disk::meet_bad_sectors(LaneId lane, wal::ReadRange& range) {
  std::vector<wal::StoredRecord> readable;
  for (wal::StoredRecord& record : range.records) {
    const auto bad = bad_.find({lane, record.seq});
    if (bad == bad_.end()) {
      readable.push_back(std::move(record));
    } else if (!readable.empty()) {
      range.next = record.seq;
      break;
    } else if (bad->second.attempts-- > 0) {
      happened_.add(bad->second.for_good ? Fault::sector_lost : Fault::sector_fails);
      return fail(Errc::io_error, "the disk cannot read a sector");
    } else {
      const bool for_good = bad->second.for_good;
      bad_.erase(bad);
      if (!for_good || !lose(lane, record.seq)) readable.push_back(std::move(record));
    }
  }
  range.records = std::move(readable);
  return {};
}

// Of any lane. Often at its end, where nothing behind it says what it held, or at its beginning, where some
// cursor stands.
void Disk::lose_sectors(const wal::StoreImage& image) {
  if (image.tails.empty()) return;
  const auto tail =
      std::next(image.tails.begin(), static_cast<std::ptrdiff_t>(rng_.below(image.tails.size())));
  const auto held = memory_.read({tail->first, Seq{1}, next(tail->second.seq), UINT64_MAX});
  if (!held || held->records.empty()) return;
  const std::uint64_t most = rng_.chance(0.2) ? kManySectors : kSectorsMax;
  const std::size_t count = std::min<std::size_t>(held->records.size(), 1 + rng_.below(most));
  const std::size_t last = held->records.size() - count;
  const std::array<std::size_t, 3> ends{0, last, rng_.below(last + 1)};
  const std::size_t first = ends[rng_.below(ends.size())];
  for (std::size_t i = first; i < first + count; ++i)
    if (lose(tail->first, held->records[i].seq)) happened_.add(Fault::sector_lost_at_open);
}

bool Disk::lose(LaneId lane, Seq seq) {
  if (!memory_.damage(lane, seq)) return false;
  witness_.lost(lane, seq);
  return true;
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

void Disk::Handle::release(LaneId lane, const wal::Released& released) {
  if (frozen_) return;
  if (disk_.lazy_) disk_.happened_.add(Fault::space_given_back_late);
  disk_.memory_.release(lane, released);
  disk_.witness_.released(lane, released);
}

}  // namespace tideover::sim
