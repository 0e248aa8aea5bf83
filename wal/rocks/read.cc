#include "wal/rocks/read.h"

#include <limits>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <set>

#include "wal/rocks/handle.h"
#include "wal/rocks/options.h"
#include "wal/rocks/record_salvage.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// Numbers looked up one by one in a call that met damage: bounds the work, the caller comes back for more.
constexpr std::uint64_t kWindow = 256;

// Errors: corrupt, also for a record that stands under another's number.
Result<StoredRecord> to_record(Seq seq, const rocksdb::Slice& value) {
  auto record = open_envelope(std::make_shared<std::string>(value.data(), value.size()));
  if (record && record->seq != seq) return fail(Errc::corrupt, "the record has another number than its key");
  return record;
}

Result<StoredRecord> to_record(const rocksdb::Iterator& at) {
  const auto key = parse_record_key(at.key().ToStringView());
  return to_record(key ? key->seq : Seq{0}, at.value());
}

// Collects until the request's size is reached; knows where the caller goes on.
class Collector {
 public:
  explicit Collector(const ReadRequest& request) : request_(request) {}

  bool full() const { return bytes_ >= request_.max_bytes && !range_.records.empty(); }
  bool empty() const { return range_.records.empty(); }
  void add(StoredRecord record) {
    bytes_ += record.bytes->size();
    range_.next = next(record.seq);
    range_.records.push_back(std::move(record));
  }
  ReadRange finish(Seq reached) {
    if (!full()) range_.next = reached;
    return std::move(range_);
  }
  ReadRange finish_here() { return std::move(range_); }

 private:
  const ReadRequest& request_;
  ReadRange range_;
  std::uint64_t bytes_ = 0;
};

// The records of `missing` that can still be found in the bytes of the tables that should hold them.
Result<std::map<Seq, StoredRecord>> salvage(const RocksHandle& handle, CarefulReader& reader, LaneId lane,
                                            const std::set<Seq>& missing) {
  std::map<Seq, StoredRecord> found;
  const std::string first = record_key(lane, *missing.begin());
  const std::string last = record_key(lane, *missing.rbegin());
  rocksdb::ColumnFamilyMetaData shape;
  handle.db().GetColumnFamilyMetaData(handle.records(), &shape);
  for (const rocksdb::LevelMetaData& level : shape.levels) {
    for (const rocksdb::SstFileMetaData& table : level.files) {
      if (table.largestkey < first || table.smallestkey > last) continue;
      const auto searched =
          salvage_table(reader, table.db_path + table.name, [&](LaneId in, StoredRecord record) {
            if (in == lane && missing.contains(record.seq)) found.emplace(record.seq, std::move(record));
            return true;
          });
      if (!searched) return searched.error();
    }
  }
  return found;
}

// An iterator stops at the first damaged block it meets, in whatever table; a look-up is stopped only by
// damage in the table that holds its own key. Every number in the window was once written, so each is asked
// for.
Result<ReadRange> read_one_by_one(const RocksHandle& handle, CarefulReader& reader,
                                  const ReadRequest& request) {
  const Seq end{std::min(request.until.value, request.from.value + kWindow)};
  std::map<Seq, StoredRecord> found;
  std::set<Seq> missing;
  std::uint64_t bytes = 0;
  Seq reached = request.from;
  for (; reached < end && (bytes == 0 || bytes < request.max_bytes); reached = next(reached)) {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status =
        handle.db().Get(read_options(), handle.records(), record_key(request.lane, reached), &value);
    if (status.ok()) {
      if (auto record = to_record(reached, value)) {
        bytes += value.size();
        found.emplace(reached, std::move(*record));
        continue;
      }
    } else if (status.IsNotFound()) {
      continue;
    } else if (!is_damage(status)) {
      return rocks_error(status, "read records");  // the device is away, and what it holds may come back
    }
    missing.insert(reached);
  }
  if (!missing.empty()) {
    auto rescued = salvage(handle, reader, request.lane, missing);
    if (!rescued) return rescued.error();
    found.merge(*rescued);
  }

  Collector collector(request);
  for (auto& [seq, record] : found) {
    collector.add(std::move(record));
    if (collector.full()) break;
  }
  return collector.finish(reached);
}

}  // namespace

Result<ReadRange> read_records(const RocksHandle& handle, CarefulReader& reader, const ReadRequest& request) {
  if (!(request.from < request.until)) return ReadRange{.records = {}, .next = request.from};
  const std::string upper = record_key(request.lane, request.until);
  const rocksdb::Slice bound = upper;
  rocksdb::ReadOptions options = read_options();
  options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(handle.db().NewIterator(options, handle.records()));

  Collector collector(request);
  for (it->Seek(record_key(request.lane, request.from)); it->Valid(); it->Next()) {
    auto record = to_record(*it);
    if (!record)
      continue;  // the block's checksum holds but the record's does not: damaged before it came here
    collector.add(std::move(*record));
    if (collector.full()) return collector.finish_here();
  }
  if (it->status().ok()) return collector.finish(request.until);
  if (!collector.empty()) return collector.finish_here();  // the caller comes back for the damaged place
  return read_one_by_one(handle, reader, request);
}

Result<std::map<LaneId, StoredRecord>> read_tails(const RocksHandle& handle) {
  std::map<LaneId, StoredRecord> tails;
  const std::unique_ptr<rocksdb::Iterator> it(handle.db().NewIterator(read_options(), handle.records()));
  it->SeekToLast();
  while (it->Valid()) {
    const auto key = parse_record_key(it->key().ToStringView());
    auto record = to_record(*it);
    if (!key || !record) {
      it->Prev();
      continue;
    }
    tails.emplace(key->lane, std::move(*record));
    // Seq 0 is no record: this lands on the last record of the lane before.
    it->SeekForPrev(record_key(key->lane, Seq{0}));
  }
  if (it->status().ok()) return tails;
  return is_damage(it->status()) ? fail(Errc::corrupt, it->status().ToString())
                                 : rocks_error(it->status(), "find the last records");
}

}  // namespace tideover::wal
