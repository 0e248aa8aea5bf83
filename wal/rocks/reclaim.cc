#include "wal/rocks/reclaim.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "wal/rocks/handle.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// Dropping tables costs a synced line in the manifest: not for less than this, unless the lane is empty.
constexpr std::uint64_t kWorthDropping = 16 << 20;
// A drained lane's rest is rewritten (to nothing) for this much; less goes with the next table written.
constexpr std::uint64_t kWorthCompacting = 2 << 20;
constexpr std::uint64_t kCallsBetweenLooks = 32;

std::uint64_t table_bytes(const RocksHandle& handle) {
  std::uint64_t bytes = 0;
  handle.db().GetIntProperty(handle.records(), rocksdb::DB::Properties::kLiveSstFilesSize, &bytes);
  return bytes;
}

std::uint64_t table_bytes(const RocksHandle& handle, const rocksdb::Range& range) {
  rocksdb::SizeApproximationOptions options;
  options.include_files = true;
  options.include_memtables = false;
  options.files_size_error_margin = 0.2;  // without it the indexes of the border tables are read
  std::uint64_t bytes = 0;
  if (!handle.db().GetApproximateSizes(options, handle.records(), &range, 1, &bytes).ok()) return 0;
  return bytes;
}

}  // namespace

void RocksReclaim::released(const RocksHandle& handle, LaneId lane, const Released& released, bool drained,
                            const std::function<bool(Seq before)>& remember) {
  if (!drained && ++calls_[lane] < kCallsBetweenLooks) return;
  calls_[lane] = 0;
  if (table_bytes(handle) == 0) return;
  for (const SeqRange& range : released.ranges()) {
    const bool first = range.from == Seq{0};
    give_back(handle, lane, range, drained, [&] { return !first || remember(range.until); });
  }
}

void RocksReclaim::give_back(const RocksHandle& handle, LaneId lane, const SeqRange& dead, bool drained,
                             const std::function<bool()>& remember) {
  const std::string first = record_key(lane, dead.from);
  const std::string last = record_key(lane, dead.until);
  const rocksdb::Slice begin = first, end = last;
  // Twice: a table that a compaction was just moving is passed over by both verbs.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::uint64_t held = table_bytes(handle, {begin, end});
    if (held < (drained ? kWorthCompacting : kWorthDropping)) return;
    if (attempt == 0 && !remember()) return;
    // Whole tables, without reading them. Level 0 is left out, and so is a table that also holds live
    // records.
    rocksdb::DeleteFilesInRange(&handle.db(), handle.records(), &begin, &end, false).PermitUncheckedError();
    if (!drained || table_bytes(handle, {begin, end}) < kWorthCompacting) return;
    // What is left is read once and written without its dead records: a few tables at most.
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;  // commits wait behind this call: it waits for nobody
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    handle.db().CompactRange(options, handle.records(), &begin, &end).PermitUncheckedError();
  }
}

}  // namespace tideover::wal
