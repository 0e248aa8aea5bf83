#include "wal/rocks/absorber.h"

#include <map>
#include <optional>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>
#include <utility>

#include "wal/rocks/log_file.h"
#include "wal/rocks/log_salvage.h"
#include "wal/rocks/record_salvage.h"
#include "wal/rocks/released_marks.h"
#include "wal/wal_format.h"

namespace tideover::wal {

// What an entry is follows from the entry itself: records have an envelope, everything else is meta with the
// number of its commit, of which the highest counts.
class Absorber::Impl final : public rocksdb::WriteBatch::Handler {
 public:
  Impl(const RocksSetup& setup, const RocksHandle& handle, MetaImage meta, Records which)
      : setup_(setup),
        handle_(handle),
        which_(which),
        table_options_(database_options(setup), families(setup)[RocksHandle::kRecords].options) {
    unlogged_.disableWAL = true;  // flushed before a source is let go
    newest_ = std::move(meta.commits);
    marks_ = released_marks(meta.values);
  }

  Result<bool> table(const std::string& path) {
    rocksdb::SstFileReader reader(table_options_);
    rocksdb::Status status = reader.Open(path);
    if (status.ok()) {
      const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(read_options()));
      for (it->SeekToFirst(); it->Valid() && status_.ok(); it->Next()) entry(it->key(), it->value());
      status = it->status();
    }
    if (status.ok()) return true;
    if (!is_damage(status)) return rocks_error(status, "read " + path);
    const auto salvaged = salvage_table(*setup_.reader, path, [&](LaneId lane, const StoredRecord& record) {
      entry(record_key(lane, record.seq), *record.bytes);
      return status_.ok();
    });
    if (!salvaged) return salvaged.error();
    return false;
  }

  Result<> log(const std::string& path) {
    LogFacts facts;
    const auto findings = look_through_log(*setup_.reader, path, facts);
    if (!findings) return findings.error();
    if (findings->damaged) {
      const auto salvaged = salvage_log(*setup_.reader, path, setup_.directory + "/" + kLostName, facts);
      if (!salvaged) return salvaged.error();
    }
    const auto dropped =
        read_log(*setup_.reader, findings->damaged ? clean_log(path) : path, [&](std::string_view record) {
          rocksdb::WriteBatch batch{std::string(record)};
          batch.Iterate(this).PermitUncheckedError();
          return status_.ok();
        });
    if (!dropped) return dropped.error();
    return {};
  }

  bool all_released(const std::string& path) const {
    rocksdb::SstFileReader reader(table_options_);
    if (!reader.Open(path).ok()) return false;
    const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(read_options()));
    it->SeekToFirst();
    const auto first = it->Valid() ? parse_record_key(it->key().ToStringView()) : std::nullopt;
    it->SeekToLast();
    const auto last = it->Valid() ? parse_record_key(it->key().ToStringView()) : std::nullopt;
    return it->status().ok() && first && last && first->lane == last->lane && released(*last);
  }

  Result<> flush(std::string_view tried) {
    for (rocksdb::ColumnFamilyHandle* family : {handle_.records(), handle_.meta(), handle_.mirror()})
      keep(handle_.db().Flush({}, family));
    return status_.ok() ? Result<>() : Result<>(rocks_error(status_, tried));
  }
  std::uint64_t records() const { return records_; }

  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    entry(key, value);
    return status_;
  }
  // The records of a group that was never finished, and checkpoints that were removed: by the keys.
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    if (parse_record_key(key.ToStringView())) keep(handle_.db().Delete(unlogged_, handle_.records(), key));
    if (!key.starts_with(rocksdb::Slice(kCheckpointPrefix.data(), kCheckpointPrefix.size()))) return status_;
    keep(handle_.db().Delete(unlogged_, handle_.meta(), key));
    keep(handle_.db().Delete(unlogged_, handle_.mirror(), key));
    return status_;
  }

 private:
  void entry(const rocksdb::Slice& key, const rocksdb::Slice& value) {
    // Of whatever version: what a newer one wrote is a record, too.
    if (const auto record = parse_record_key(key.ToStringView());
        record && envelope_checks(value.ToStringView())) {
      if (which_ == Records::missing ? released(*record) || present(key) : older(*record, key, value)) return;
      keep(handle_.db().Put(unlogged_, handle_.records(), key, value));
      ++records_;
      return;
    }
    const auto commit = commit_of(value.ToStringView());
    if (!commit) return;
    const auto [known, fresh] = newest_.try_emplace(key.ToString(), *commit);
    if (!fresh && *commit < known->second) return;
    // A group that is written in parts says that it is unfinished and that it is not under the same number.
    if (!fresh && *commit == known->second && value.size() > sizeof *commit) return;
    known->second = *commit;
    keep(handle_.db().Put(unlogged_, handle_.meta(), key, value));
    keep(handle_.db().Put(unlogged_, handle_.mirror(), key, value));
  }

  bool released(const RecordKey& key) const {
    const auto mark = marks_.find(key.lane);
    return mark != marks_.end() && mark->second.contains(key.seq);
  }
  // A number was given twice when its first record belonged to a group that was never finished. Compactions
  // give tables new numbers, so the record that counts may come first; it arrived later.
  bool older(const RecordKey& record, const rocksdb::Slice& key, const rocksdb::Slice& value) {
    Seq& highest = highest_[record.lane];
    if (highest < record.seq) {
      highest = record.seq;
      return false;
    }
    const auto arrival = [](const rocksdb::Slice& bytes) {
      const auto opened = open_envelope(std::make_shared<std::string>(bytes.ToStringView()));
      return opened ? opened->attributes.arrival_ms : 0;
    };
    rocksdb::PinnableSlice other;
    return look_up(key, other) ? arrival(value) < arrival(other) : !status_.ok();
  }
  bool present(const rocksdb::Slice& key) {
    rocksdb::PinnableSlice value;
    return look_up(key, value) || !status_.ok();
  }
  // False: nothing that reads, or nobody can tell, which ends the absorbing: the disk is away.
  bool look_up(const rocksdb::Slice& key, rocksdb::PinnableSlice& value) {
    const rocksdb::Status status = handle_.db().Get(read_options(), handle_.records(), key, &value);
    if (!status.ok() && !is_damage(status)) keep(status);
    return status.ok();
  }
  void keep(const rocksdb::Status& status) {
    if (status_.ok()) status_ = status;
  }

  const RocksSetup& setup_;
  const RocksHandle& handle_;
  const Records which_;
  const rocksdb::Options table_options_;
  rocksdb::WriteOptions unlogged_;
  std::map<std::string, std::uint64_t> newest_;
  LaneMarks::Snapshot marks_;
  std::map<LaneId, Seq> highest_;  // of all that was put
  rocksdb::Status status_;
  std::uint64_t records_ = 0;
};

Absorber::Absorber(const RocksSetup& setup, const RocksHandle& handle, MetaImage meta, Records which)
    : impl_(std::make_unique<Impl>(setup, handle, std::move(meta), which)) {}
Absorber::~Absorber() = default;

Result<bool> Absorber::table(const std::string& path) { return impl_->table(path); }
Result<> Absorber::log(const std::string& path) { return impl_->log(path); }
bool Absorber::all_released(const std::string& path) const { return impl_->all_released(path); }
Result<> Absorber::flush(std::string_view tried) { return impl_->flush(tried); }
std::uint64_t Absorber::records() const { return impl_->records(); }

}  // namespace tideover::wal
