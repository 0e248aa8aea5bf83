#include "wal/rocks/options.h"

#include <limits>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

constexpr std::size_t kCacheBytes = 4 << 20;
// Of all logs together. The ballast of a full disk holds as much twice: the log, and the tables made of it.
constexpr std::uint64_t kLogBytes = 24 << 20;
constexpr int kOpenFiles = 64;
// Read as a whole at every open; flushes alone add a few hundred bytes each.
constexpr std::uint64_t kManifestBytes = 4 << 20;

// Leaves records below their lane's mark out of every file that is written, flushes included: a healthy
// agent's records never reach a table file, and deleting needs neither tombstones nor space.
class ReleasedFilter final : public rocksdb::CompactionFilter {
 public:
  explicit ReleasedFilter(LaneMarks::Snapshot marks) : marks_(std::move(marks)) {}

  Decision FilterV2(int, const rocksdb::Slice& key, ValueType type, const rocksdb::Slice&, std::string*,
                    std::string*) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    const auto parsed = parse_record_key(key.ToStringView());
    if (!parsed) return Decision::kKeep;
    const auto mark = marks_.find(parsed->lane);
    return mark != marks_.end() && mark->second.contains(parsed->seq) ? Decision::kRemove : Decision::kKeep;
  }

  const char* Name() const override { return "tideover.released"; }

 private:
  const LaneMarks::Snapshot marks_;
};

class ReleasedFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit ReleasedFilterFactory(std::shared_ptr<const LaneMarks> released)
      : released_(std::move(released)) {}

  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason) const override { return true; }

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<ReleasedFilter>(released_->snapshot());
  }

  const char* Name() const override { return "tideover.released"; }

 private:
  const std::shared_ptr<const LaneMarks> released_;
};

// After a fault nothing starts again by itself: open() first makes room and then decides what to trust.
class NoSelfRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

class Silence final : public rocksdb::Logger {
 public:
  Silence() : Logger(rocksdb::InfoLogLevel::HEADER_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::BlockBasedTableOptions table_options(const RocksSetup& setup) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = setup.cache;
  // Memory of indexes follows the cache's bound instead of the backlog's length.
  table.cache_index_and_filter_blocks = true;
  // Every key stands whole in front of its record, so that records are found in a file whose index is
  // damaged.
  table.block_restart_interval = 1;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.max_auto_readahead_size = 128 << 10;
  return table;
}

rocksdb::ColumnFamilyOptions common(const RocksSetup& setup) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(setup)));
  family.compression = rocksdb::kNoCompression;  // payloads come compressed
  // A backlog is never a reason to stop writing: the budget decides that, not the shape of the tree.
  family.level0_slowdown_writes_trigger = std::numeric_limits<int>::max();
  family.level0_stop_writes_trigger = std::numeric_limits<int>::max();
  family.soft_pending_compaction_bytes_limit = 0;
  family.hard_pending_compaction_bytes_limit = 0;
  // A repair may leave two tables with the same records; every key is written once, so both say the same.
  family.force_consistency_checks = false;
  return family;
}

rocksdb::ColumnFamilyOptions meta_family(const RocksSetup& setup) {
  rocksdb::ColumnFamilyOptions family = common(setup);
  family.write_buffer_size = 1 << 20;
  family.arena_block_size = 64 << 10;
  family.max_write_buffer_number = 2;
  return family;
}

rocksdb::ColumnFamilyOptions record_family(const RocksSetup& setup) {
  rocksdb::ColumnFamilyOptions family = common(setup);
  family.write_buffer_size = setup.memtable_bytes;
  family.max_write_buffer_number = 3;  // one fills, one is written out, one is spare
  family.compaction_filter_factory = std::make_shared<ReleasedFilterFactory>(setup.released);
  // Appends alone never overlap, so tables move down a level by a rename in the manifest. Small upper levels
  // keep the rewriting small when several lanes interleave.
  family.max_bytes_for_level_base = 128 << 20;
  family.target_file_size_base = 16 << 20;
  return family;
}

}  // namespace

std::shared_ptr<rocksdb::Cache> make_block_cache() {
  rocksdb::LRUCacheOptions options;
  options.capacity = kCacheBytes;
  options.num_shard_bits = 0;             // two threads read; one shard keeps the bound exact
  options.strict_capacity_limit = false;  // a reader that cannot pin its block would fail instead of waiting
  options.metadata_charge_policy = rocksdb::kFullChargeCacheMetadata;
  return rocksdb::NewLRUCache(options);
}

rocksdb::DBOptions database_options(const RocksSetup& setup) {
  rocksdb::DBOptions db;
  db.env = setup.env;
  db.create_if_missing = false;  // creation is decided by what is in the directory: see recovery.cc
  db.create_missing_column_families = true;
  db.info_log = std::make_shared<Silence>();

  // What lies behind a damaged record was acknowledged too: point-in-time recovery would drop it silently.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  db.recycle_log_file_num = 0;  // a recycled log has old records behind its tail that look alive
  // Replayed records are written into a new, synced file: a log whose sync failed is never trusted twice.
  db.avoid_flush_during_recovery = false;
  db.max_bgerror_resume_count = 0;
  db.listeners.push_back(std::make_shared<NoSelfRecovery>());

  // Bounded memory, and an open whose cost does not grow with the backlog.
  db.max_open_files = kOpenFiles;
  db.max_total_wal_size = kLogBytes;
  db.max_manifest_file_size = kManifestBytes;
  db.skip_stats_update_on_db_open = true;
  db.skip_checking_sst_file_sizes_on_db_open = true;
  db.allow_concurrent_memtable_write = false;  // one thread writes
  db.enable_write_thread_adaptive_yield = false;
  db.use_adaptive_mutex = false;

  // Two threads of background work, in small slices.
  db.max_background_jobs = 2;
  db.max_subcompactions = 1;
  db.bytes_per_sync = 1 << 20;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.delete_obsolete_files_period_micros = std::uint64_t{60} * 1000 * 1000;
  return db;
}

rocksdb::ReadOptions read_options() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;  // a backlog is read once; the cache is for indexes
  options.verify_checksums = true;
  // We delete no ranges. While RocksDB looks for such deletions, it crosses from table to table of a level in
  // a way that forgets why the next one could not be read, and passes over the rest of the level in silence
  // (MergingIterator::SkipNextDeleted() in 7.8).
  options.ignore_range_deletions = true;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const RocksSetup& setup) {
  // RocksDB insists on a default family and does not let it be dropped, so nothing is kept there.
  return {{rocksdb::kDefaultColumnFamilyName, meta_family(setup)},
          {"meta", meta_family(setup)},
          {"mirror", meta_family(setup)},
          {"records", record_family(setup)}};
}

}  // namespace tideover::wal
