#include "wal/rocks/group.h"

#include <algorithm>
#include <map>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <utility>

#include "wal/base/little_endian.h"
#include "wal/rocks/handle.h"
#include "wal/rocks/log_guard.h"
#include "wal/rocks/meta.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

constexpr std::uint64_t kBatchBytes = 256 << 10;

std::string encode_ranges(const std::vector<StoreBatch::Put>& records) {
  std::map<LaneId, std::pair<Seq, Seq>> ranges;  // first and last
  for (const StoreBatch::Put& put : records) {
    const auto [it, fresh] = ranges.try_emplace(put.lane, put.seq, put.seq);
    it->second.first = std::min(it->second.first, put.seq);
    it->second.second = std::max(it->second.second, put.seq);
  }
  std::string value;
  for (const auto& [lane, range] : ranges) {
    append_le(value, lane.value);
    append_le(value, range.first.value);
    append_le(value, range.second.value);
  }
  return value;
}

void delete_ranges(rocksdb::WriteBatch& batch, const RocksHandle& handle, std::string_view encoded) {
  LittleEndianReader from(encoded);
  while (true) {
    const LaneId lane{from.next<std::uint32_t>()};
    const Seq first{from.next<std::uint64_t>()}, last{from.next<std::uint64_t>()};
    if (!from.ok()) return;
    for (Seq seq = first; seq <= last; seq = next(seq)) batch.Delete(handle.records(), record_key(lane, seq));
  }
}

}  // namespace

Result<> GroupWriter::write_batch(const RocksHandle& handle, rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  const rocksdb::Status status = handle.db().Write(options, &batch);
  batch.Clear();
  if (const auto failure = guard_.failure()) return *failure;
  if (!status.ok()) return rocks_error(status, "write to the store");
  return {};
}

Result<> GroupWriter::write(const RocksHandle& handle, const StoreBatch& group) {
  ++commit_;
  std::uint64_t total = 0;
  for (const StoreBatch::Put& put : group.records) total += put.bytes->size();
  rocksdb::WriteBatch batch(std::min(total, kBatchBytes) + 4096);

  if (total > kBatchBytes && group.records.size() > 1) {
    // Each part names the group, so that any of them found alone is known to be a part.
    const MetaEntries unfinished = {{std::string(kUnfinishedKey), encode_ranges(group.records)}};
    was_split_ = true;
    put_meta(batch, handle, commit_, unfinished);
    for (const StoreBatch::Put& put : group.records) {
      if (batch.GetDataSize() + put.bytes->size() > kBatchBytes) {
        if (auto written = write_batch(handle, batch, false); !written) return written;
        put_meta(batch, handle, commit_, unfinished);
      }
      batch.Put(handle.records(), record_key(put.lane, put.seq), *put.bytes);
    }
    if (auto written = write_batch(handle, batch, true); !written) return written;
  } else {
    for (const StoreBatch::Put& put : group.records)
      batch.Put(handle.records(), record_key(put.lane, put.seq), *put.bytes);
  }
  if (was_split_) put_meta(batch, handle, commit_, {{std::string(kUnfinishedKey), std::string()}});
  put_meta(batch, handle, commit_, group.meta);
  auto written = write_batch(handle, batch, true);
  if (written && group.anchor) written = anchor(handle);
  return written;
}

// The log record is the one place, a table of each family the other two. Crash in between: the log has it,
// and what it recovers stands in tables.
Result<> GroupWriter::anchor(const RocksHandle& handle) {
  rocksdb::FlushOptions options;
  options.allow_write_stall = true;
  const rocksdb::Status status = handle.db().Flush(options, {handle.meta(), handle.mirror()});
  if (const auto failure = guard_.failure()) return *failure;
  if (!status.ok()) return rocks_error(status, "write what was born into tables");
  return {};
}

Result<> GroupWriter::remember_released(const RocksHandle& handle, LaneId lane, Seq before) {
  rocksdb::WriteBatch batch;
  put_meta(batch, handle, ++commit_, {{released_key(lane), std::to_string(before.value)}});
  return write_batch(handle, batch, true);
}

Result<> GroupWriter::settle(const RocksHandle& handle, MetaImage& meta) {
  rocksdb::WriteBatch batch;
  ++commit_;
  if (const auto unfinished = meta.values.find(std::string(kUnfinishedKey));
      unfinished != meta.values.end()) {
    delete_ranges(batch, handle, unfinished->second);
    put_meta(batch, handle, commit_, {{std::string(kUnfinishedKey), std::string()}});
    meta.values.erase(unfinished);
  }
  // From here on what is written is of this version: an older one must not take it for its own.
  std::string& format = meta.values[std::string(kFormatKey)];
  if (format != std::to_string(kFormatVersion)) {
    format = std::to_string(kFormatVersion);
    put_meta(batch, handle, commit_, {{std::string(kFormatKey), format}});
  }
  // Format 1 kept every checkpoint that was ever removed.
  constexpr std::uint32_t kRemovalsAtOnce = 4000;
  for (const auto& [key, commit] : meta.commits) {
    if (!key.starts_with(kCheckpointPrefix) || meta.values.contains(key)) continue;
    put_meta(batch, handle, commit_, {{key, std::string()}});
    if (batch.Count() < kRemovalsAtOnce) continue;
    if (auto written = write_batch(handle, batch, false); !written) return written;
  }
  if (meta.copies_differ || meta.meta_damaged || meta.mirror_damaged) {
    for (const auto& [key, value] : meta.values) put_meta(batch, handle, commit_, {{key, value}});
  }
  if (batch.Count() == 0) return {};
  return write_batch(handle, batch, true);
}

}  // namespace tideover::wal
