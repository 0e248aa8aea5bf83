#include "wal/rocks/rocks_store.h"

#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <optional>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <shared_mutex>
#include <utility>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/group.h"
#include "wal/rocks/handle.h"
#include "wal/rocks/heads.h"
#include "wal/rocks/lane_marks.h"
#include "wal/rocks/log_guard.h"
#include "wal/rocks/meta.h"
#include "wal/rocks/options.h"
#include "wal/rocks/read.h"
#include "wal/rocks/read_guard.h"
#include "wal/rocks/reclaim.h"
#include "wal/rocks/store_format.h"
#include "wal/rocks/table_guard.h"
#include "wal/rocks/usage_gauge.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {

class RocksStore::Impl {
 public:
  explicit Impl(RocksOptions options)
      : note_(options.note ? std::move(options.note) : Note([](const std::string&) {})),
        reader_(options.directory, options.read_patience),
        careful_(guard_reads(options.env != nullptr ? options.env : rocksdb::Env::Default(), reader_)),
        guard_(careful_.get()),
        ballast_(options.directory, options.ballast_bytes) {
    setup_.directory = std::move(options.directory);
    setup_.memtable_bytes = options.memtable_bytes;
    setup_.env = tables_.env();
    setup_.tables = &tables_;
    setup_.reader = &reader_;
    setup_.cache = make_block_cache();
    setup_.released = marks_;
  }

  Result<StoreImage> open() {
    if (auto prepared = prepare_directory(setup_.directory); !prepared) return prepared.error();
    if (auto taken = lock_.take(setup_.directory); !taken) return taken.error();
    if (state_ == State::failed) {
      ballast_.drop();
      // While there is no room to recover in, the failed store goes on serving readers as it is.
      if (auto room = check_room(); !room) return room.error();
    }
    auto image = open_again();
    if (!image && image.error().code == Errc::disk_full && ballast_.held() > 0) {
      ballast_.drop();
      image = open_again();
    }
    if (image) ballast_.fill();
    if (!image && image.error().code == Errc::corrupt) return fail(Errc::io_error, image.error().detail);
    return image;
  }

  Result<> commit(const StoreBatch& batch) {
    if (state_ != State::writable) return fail(Errc::unavailable, "the store is being opened again");
    auto written = writer_->write(*handle_, batch);
    tell_unreadable();
    if (!written) state_ = State::failed;
    if (!written && written.error().code == Errc::corrupt) {
      // A compaction met a damaged block, and would meet it again after every open.
      rebuild_wanted_ = true;
      written = fail(Errc::io_error, written.error().detail);
    }
    for (const StoreBatch::Put& put : batch.records) note_tail(put.lane, put.seq);
    return written;
  }

  Result<ReadRange> read(const ReadRequest& request) {
    std::shared_lock lock(handle_mutex_);
    if (handle_ == nullptr) return fail(Errc::unavailable, "the store is being opened again");
    return read_records(*handle_, reader_, request);
  }

  void release(LaneId lane, const Released& released) {
    marks_->raise(lane, released);
    if (state_ != State::writable) return;
    const auto tail = tails_.find(lane);
    const bool drained = released.kept.empty() && (tail == tails_.end() || tail->second <= released.before);
    reclaim_.released(*handle_, lane, released, drained, [&](Seq before) {
      const auto remembered = writer_->remember_released(*handle_, lane, before);
      if (!remembered) state_ = State::failed;  // the next commit says so
      return remembered.has_value();
    });
  }

  StoreUsage usage() {
    const FreeSpace space = free_space(setup_.directory);
    StoreUsage usage{.disk_bytes = gauge_.disk_bytes(setup_.directory),
                     .free_bytes = space.free_bytes,
                     .total_bytes = space.total_bytes,
                     .set_aside_bytes = ballast_.held(),
                     .reopen_bytes = room_to_open(setup_.directory),
                     .memory_bytes = gauge_.memory_bytes(),
                     .unreadable_pages = reader_.pages()};
    // While the store is being opened the figure of before stands: nobody waits here for a recovery.
    std::shared_lock lock(handle_mutex_, std::try_to_lock);
    if (lock.owns_lock() && handle_ != nullptr) usage.memory_bytes = gauge_.memory_bytes(setup_, *handle_);
    return usage;
  }

 private:
  enum class State : std::uint8_t { closed, writable, failed };

  // After a failed sync the same file is never trusted again: the database is closed, and recovery writes
  // what it finds in the log into new files and syncs those.
  Result<StoreImage> open_again() {
    state_ = State::failed;
    exchange_handle(nullptr);
    guard_.reset();
    auto image = open_and_read();
    if (image) {
      state_ = State::writable;
      return image;
    }
    guard_.reset();
    // Nothing can be written, but the backlog can be delivered, if nothing of it is missing.
    if (auto readable = open_rocks_read_only(setup_); readable && !guard_.failure())
      exchange_handle(std::move(*readable));
    return image;
  }

  Result<> check_room() {
    const std::uint64_t need = room_to_open(setup_.directory);
    const std::uint64_t free = free_space(setup_.directory).free_bytes;
    if (handle_ == nullptr || free >= need) return {};
    return fail(Errc::disk_full,
                fmt::format("{} bytes are free, and opening the store again takes {}", free, need));
  }

  Result<StoreImage> open_and_read() {
    auto opened = open_rocks(setup_, note_, rebuild_wanted_);
    tell_unreadable();
    if (!opened) return opened.error();
    rebuild_wanted_ = false;
    auto image = take_image(*opened->handle);
    if (!image && image.error().code == Errc::corrupt) {
      note_("damage hides the newest records: " + image.error().detail);
      opened->handle.reset();
      auto again = open_rocks(setup_, note_, true);
      if (!again) return again.error();
      opened->handle = std::move(again->handle);
      image = take_image(*opened->handle);
    }
    tell_unreadable();
    if (!image) return image;
    image->damaged_at_tail = opened->lost_at_tail;
    exchange_handle(std::move(opened->handle));
    return image;
  }

  void tell_unreadable() {
    for (const CarefulReader::Place& place : reader_.take_news())
      note_(fmt::format("{} bytes at {} of {} cannot be read: what stood there is taken for damaged",
                        place.bytes, place.offset, place.path));
  }

  Result<StoreImage> take_image(RocksHandle& handle) {
    auto read = read_meta(handle);
    if (!read) return read.error();
    MetaImage& meta = *read;
    if (auto checked = check_format(meta); !checked) return checked.error();
    for (const bool mirror : {false, true}) {
      if (!(mirror ? meta.mirror_damaged : meta.meta_damaged)) continue;
      note_("one of the two copies of the store's meta is damaged and is written anew");
      if (auto renewed = handle.renew(mirror ? RocksHandle::kMirror : RocksHandle::kMeta, setup_); !renewed)
        return renewed.error();
    }
    if (auto told = write_format(); !told) return told.error();
    writer_.emplace(meta.last_commit, guard_);
    if (auto settled = writer_->settle(handle, meta); !settled) return settled.error();
    auto tails = read_tails(handle);
    if (!tails) return tails.error();
    auto heads = read_heads(handle, reader_, *tails);
    if (!heads) return heads.error();

    StoreImage image;
    image.tails = std::move(*tails);
    image.heads = std::move(*heads);
    image.meta_damaged = meta.meta_damaged && meta.mirror_damaged;
    for (const auto& [key, value] : meta.values)
      if (key != kFormatKey && !key.starts_with(kStorePrefix)) image.meta.emplace(key, value);
    tails_.clear();  // a failed commit may have left numbers that nothing was stored under
    for (const auto& [lane, record] : image.tails) note_tail(lane, record.seq);
    return image;
  }

  Result<> check_format(const MetaImage& meta) const {
    const auto found = meta.values.find(std::string(kFormatKey));
    if (found == meta.values.end()) return {};
    const auto format = static_cast<std::uint32_t>(std::strtoul(found->second.c_str(), nullptr, 10));
    return format > kFormatVersion ? Result<>(newer_format(setup_.directory, format)) : Result<>();
  }

  // The file before the meta. Crash in between: the directory is in the older format, which this version
  // reads.
  Result<> write_format() {
    const auto told = read_format_file(reader_, setup_.directory);
    if (!told) return told.error();
    return *told == kFormatVersion ? Result<>() : write_format_file(setup_.directory, kFormatVersion);
  }

  void note_tail(LaneId lane, Seq seq) {
    Seq& tail = tails_[lane];
    if (tail < seq) tail = seq;
  }

  // Readers hold the shared side while they use the handle; the write worker alone changes it.
  void exchange_handle(std::unique_ptr<RocksHandle> handle) {
    std::unique_lock lock(handle_mutex_);
    handle_.swap(handle);
    lock.unlock();  // closing the old one takes a while
  }

  const Note note_;
  const std::shared_ptr<LaneMarks> marks_ = std::make_shared<LaneMarks>();
  RocksSetup setup_;
  CarefulReader reader_;
  const std::unique_ptr<rocksdb::Env> careful_;
  LogGuard guard_;
  TableGuard tables_{guard_.env()};
  DirectoryLock lock_;
  UsageGauge gauge_;

  std::shared_mutex handle_mutex_;
  std::unique_ptr<RocksHandle> handle_;

  // The write worker's own.
  State state_ = State::closed;
  Ballast ballast_;
  bool rebuild_wanted_ = false;
  std::optional<GroupWriter> writer_;
  RocksReclaim reclaim_;
  std::map<LaneId, Seq> tails_;  // newest record of each lane, whether or not its commit succeeded
};

RocksStore::RocksStore(RocksOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
RocksStore::~RocksStore() = default;

Result<StoreImage> RocksStore::open() { return impl_->open(); }
Result<> RocksStore::commit(const StoreBatch& batch) { return impl_->commit(batch); }
Result<ReadRange> RocksStore::read(const ReadRequest& request) { return impl_->read(request); }
void RocksStore::release(LaneId lane, const Released& released) { impl_->release(lane, released); }
StoreUsage RocksStore::usage() const { return impl_->usage(); }

}  // namespace tideover::wal
