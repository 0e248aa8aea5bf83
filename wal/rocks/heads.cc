#include "wal/rocks/heads.h"

#include <algorithm>
#include <optional>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "wal/rocks/handle.h"
#include "wal/rocks/options.h"
#include "wal/rocks/read.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// The lowest number that the lane can have: where the iterator finds it, or, when damage is in its way, where
// the first table with anything of the lane begins.
Seq lowest_number(const RocksHandle& handle, LaneId lane) {
  const std::string lower = record_key(lane, Seq{0});
  const std::unique_ptr<rocksdb::Iterator> it(handle.db().NewIterator(read_options(), handle.records()));
  it->Seek(lower);
  const auto key = it->Valid() ? parse_record_key(it->key().ToStringView()) : std::nullopt;
  if (it->status().ok() && key && key->lane == lane) return key->seq;

  Seq lowest{kNumberMax};
  rocksdb::ColumnFamilyMetaData shape;
  handle.db().GetColumnFamilyMetaData(handle.records(), &shape);
  for (const rocksdb::LevelMetaData& level : shape.levels) {
    for (const rocksdb::SstFileMetaData& table : level.files) {
      const auto smallest = parse_record_key(table.smallestkey);
      if (!smallest || lane < smallest->lane || table.largestkey < lower) continue;
      lowest = std::min(lowest, smallest->lane == lane ? smallest->seq : Seq{1});
    }
  }
  return lowest;
}

}  // namespace

Result<std::map<LaneId, StoredRecord>> read_heads(const RocksHandle& handle, CarefulReader& reader,
                                                  const std::map<LaneId, StoredRecord>& tails) {
  std::map<LaneId, StoredRecord> heads;
  for (const auto& [lane, tail] : tails) {
    Seq from = std::min(lowest_number(handle, lane), tail.seq);
    while (from <= tail.seq) {
      auto range = read_records(handle, reader, {lane, from, next(tail.seq), 1});
      if (!range) return range.error();
      if (!range->records.empty()) {
        heads.emplace(lane, std::move(range->records.front()));
        break;
      }
      if (!(from < range->next)) break;
      from = range->next;
    }
    heads.emplace(lane, tail);  // no other one can be read
  }
  return heads;
}

}  // namespace tideover::wal
