#include "tests/support/mem_store.h"

#include <algorithm>
#include <string>

#include "wal/base/invariant.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

std::uint64_t bytes_of(const StoreBatch& batch) {
  std::uint64_t bytes = 0;
  for (const StoreBatch::Put& put : batch.records) bytes += put.bytes->size();
  for (const auto& [key, value] : batch.meta) bytes += key.size() + value.size();
  return bytes;
}

// Errors: corrupt, also for a record that stands under another's number.
Result<StoredRecord> intact(const std::pair<LaneId, Seq>& key, std::shared_ptr<const std::string> bytes) {
  auto record = open_envelope(std::move(bytes));
  if (record && record->seq != key.second) return fail(Errc::corrupt, "the record has another number");
  return record;
}

Error injected(Errc code, std::string_view verb) {
  return fail(code, "the test made this " + std::string(verb) + " fail: " + std::string(to_string(code)));
}

}  // namespace

Result<StoreImage> MemStore::open() {
  std::lock_guard lock(mutex_);
  if (const auto fault = take(open_fault_)) return injected(fault->code, "open");
  if (unsynced_) apply(*std::exchange(unsynced_, std::nullopt));
  state_ = State::open;

  StoreImage image;
  for (const auto& [key, value] : meta_) image.meta.emplace(key, value.bytes);
  for (const auto& [key, kept] : records_) {
    auto record = intact(key, kept.bytes);
    if (!record) continue;
    image.heads.emplace(key.first, *record);
    image.tails.insert_or_assign(key.first, std::move(*record));
  }
  image.meta_damaged = std::exchange(meta_lost_, false);
  return image;
}

Result<> MemStore::commit(const StoreBatch& batch) {
  std::lock_guard lock(mutex_);
  if (state_ != State::open) return fail(Errc::unavailable, "the store is not open");
  auto fault = take(commit_fault_);
  const std::uint64_t bytes = bytes_of(batch);
  if (!fault && !batch.records.empty() && bytes > free_bytes_) fault = Fault{.code = Errc::disk_full};
  if (fault) {
    state_ = State::failed;
    if (fault->outcome == Outcome::applied) unsynced_ = batch;
    return injected(fault->code, "commit");
  }
  apply(batch);
  ++commits_;
  return {};
}

Result<ReadRange> MemStore::read(const ReadRequest& request) {
  std::lock_guard lock(mutex_);
  if (state_ == State::closed) return fail(Errc::unavailable, "the store is not open");
  if (const auto fault = take(read_fault_)) return injected(fault->code, "read");

  ReadRange range{.records = {}, .next = request.from};
  std::uint64_t bytes = 0;
  for (auto it = records_.lower_bound({request.lane, request.from}); it != records_.end(); ++it) {
    if (it->first.first != request.lane || it->first.second >= request.until) break;
    auto record = intact(it->first, it->second.bytes);
    if (!record) continue;
    bytes += it->second.bytes->size();
    range.records.push_back(std::move(*record));
    if (bytes < request.max_bytes) continue;
    range.next = next(it->first.second);
    return range;
  }
  if (request.from < request.until) range.next = request.until;
  return range;
}

void MemStore::release(LaneId lane, const Released& released) {
  std::lock_guard lock(mutex_);
  if (lazy_release_) return;
  for (const SeqRange& range : released.ranges()) {
    const auto begin = records_.lower_bound({lane, range.from});
    const auto end = records_.lower_bound({lane, range.until});
    for (auto it = begin; it != end; ++it) {
      held_bytes_ -= it->second.bytes->size();
      free_bytes_ += it->second.bytes->size();
    }
    records_.erase(begin, end);
  }
}

StoreUsage MemStore::usage() const {
  std::lock_guard lock(mutex_);
  return {.disk_bytes = held_bytes_,
          .free_bytes = free_bytes_,
          .total_bytes = total_bytes_,
          .reopen_bytes = reopen_bytes_,
          .memory_bytes = 0,
          .unreadable_pages = unreadable_pages_};
}

void MemStore::crash() {
  std::lock_guard lock(mutex_);
  state_ = State::closed;
}

void MemStore::fail_next_commit(Errc code, Outcome outcome) {
  std::lock_guard lock(mutex_);
  commit_fault_ = Fault{.code = code, .outcome = outcome};
}

void MemStore::fail_commits_until_healed(Errc code, Outcome outcome) {
  std::lock_guard lock(mutex_);
  commit_fault_ = Fault{.code = code, .outcome = outcome, .until_healed = true};
}

void MemStore::fail_next_open(Errc code) {
  std::lock_guard lock(mutex_);
  open_fault_ = Fault{.code = code};
}

void MemStore::fail_opens_until_healed(Errc code) {
  std::lock_guard lock(mutex_);
  open_fault_ = Fault{.code = code, .until_healed = true};
}

void MemStore::fail_next_read(Errc code) {
  std::lock_guard lock(mutex_);
  read_fault_ = Fault{.code = code};
}

void MemStore::heal() {
  std::lock_guard lock(mutex_);
  commit_fault_.reset();
  open_fault_.reset();
  read_fault_.reset();
}

bool MemStore::damage(LaneId lane, Seq seq) {
  std::lock_guard lock(mutex_);
  const auto it = records_.find({lane, seq});
  if (it == records_.end()) return false;
  auto bytes = std::make_shared<std::string>(*it->second.bytes);  // the queue may share the original
  bytes->back() = static_cast<char>(bytes->back() ^ 0x10);
  it->second.bytes = std::move(bytes);
  return true;
}

void MemStore::lose_group(std::uint64_t commit) {
  std::lock_guard lock(mutex_);
  std::erase_if(records_, [commit](const auto& entry) { return entry.second.commit == commit; });
  std::erase_if(
      meta_, [commit](const auto& entry) { return entry.second.commit == commit && !entry.second.anchored; });
}

void MemStore::lose_meta() {
  std::lock_guard lock(mutex_);
  meta_.clear();
  meta_lost_ = true;
}

void MemStore::lose_meta(const std::string& key) {
  std::lock_guard lock(mutex_);
  meta_.erase(key);
}

void MemStore::set_meta(const std::string& key, std::string value) {
  std::lock_guard lock(mutex_);
  meta_[key] = {std::move(value), commits_, true};
}

std::optional<std::string> MemStore::meta(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const auto it = meta_.find(key);
  return it == meta_.end() ? std::nullopt : std::optional(it->second.bytes);
}

void MemStore::misplace(LaneId lane, Seq seq, LaneId from, Seq other) {
  std::lock_guard lock(mutex_);
  const auto moved = records_.find({from, other});
  invariant(moved != records_.end(), "a test misplaces a record that is there");
  records_[{lane, seq}].bytes = moved->second.bytes;
}

void MemStore::set_lazy_release(bool lazy) {
  std::lock_guard lock(mutex_);
  lazy_release_ = lazy;
}

void MemStore::set_reopen_bytes(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  reopen_bytes_ = bytes;
}

void MemStore::set_unreadable_pages(std::uint64_t pages) {
  std::lock_guard lock(mutex_);
  unreadable_pages_ = pages;
}

void MemStore::set_free_bytes(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

void MemStore::set_total_bytes(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  total_bytes_ = bytes;
}

std::uint64_t MemStore::commits() const {
  std::lock_guard lock(mutex_);
  return commits_;
}

std::uint64_t MemStore::record_count() const {
  std::lock_guard lock(mutex_);
  return records_.size();
}

std::optional<MemStore::Fault> MemStore::take(std::optional<Fault>& fault) {
  const std::optional<Fault> taken = fault;
  if (fault && !fault->until_healed) fault.reset();
  return taken;
}

void MemStore::apply(const StoreBatch& batch) {
  for (const StoreBatch::Put& put : batch.records) {
    const auto [it, fresh] = records_.try_emplace({put.lane, put.seq}, Kept{put.bytes, commits_ + 1});
    // Where a damaged record was the lane's last, its number is free: nobody can know that it was given.
    invariant(fresh || !intact(it->first, it->second.bytes), "a record key is written once in its life");
    if (!fresh) held_bytes_ -= it->second.bytes->size();
    it->second = {put.bytes, commits_ + 1};
    held_bytes_ += put.bytes->size();
    free_bytes_ -= std::min<std::uint64_t>(free_bytes_, put.bytes->size());
  }
  for (const auto& [key, value] : batch.meta) {
    if (value.empty()) {
      meta_.erase(key);
    } else {
      meta_[key] = {value, commits_ + 1, batch.anchor};
    }
  }
}

}  // namespace tideover::wal
