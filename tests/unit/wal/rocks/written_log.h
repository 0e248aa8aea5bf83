// RocksDB's log files, written by their documented format and without RocksDB, so that a test knows where
// each of their bytes lies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/lane_writer.h"
#include "wal/base/little_endian.h"
#include "wal/rocks/log_format.h"
#include "wal/rocks/meta.h"
#include "wal/rocks/write_batch_format.h"

namespace tideover::wal {

struct Place {
  std::size_t begin, end;
};

class WrittenLog {
 public:
  std::string bytes;

  Place append(std::string_view record) {
    if (kLogBlock - bytes.size() % kLogBlock < kLogHeader) fill_block();
    const std::size_t begin = bytes.size();
    bool first = true;
    do {
      if (kLogBlock - bytes.size() % kLogBlock < kLogHeader) fill_block();
      const std::string_view data = record.substr(0, kLogBlock - bytes.size() % kLogBlock - kLogHeader);
      record.remove_prefix(data.size());
      fragment(first ? (record.empty() ? kFull : kFirst) : (record.empty() ? kLast : kMiddle), data);
      first = false;
    } while (!record.empty());
    return {begin, bytes.size()};
  }
  void fragment(char type, std::string_view data) {
    append_le(bytes, masked_log_crc(type, data));
    append_le(bytes, static_cast<std::uint16_t>(data.size()));
    bytes.push_back(type);
    bytes += data;
  }
  void flip(std::size_t at) { bytes[at] = static_cast<char>(bytes[at] ^ 0x20); }
  void make_unreadable(Place place) {
    bytes.replace(place.begin, place.end - place.begin, place.end - place.begin, '\xdb');
  }

 private:
  void fill_block() { bytes.append(kLogBlock - bytes.size() % kLogBlock, '\0'); }
};

inline constexpr std::uint32_t kMetaFamily = 2, kRecordFamily = 1;

// A group as the store writes it: records of these payloads, then the number of its commit.
class Groups {
 public:
  explicit Groups(LaneId lane) : lane_(lane) {}

  std::string group(const std::vector<std::string>& payloads) {
    BatchBuilder batch;
    for (const std::string& payload : payloads) {
      const StoreBatch::Put put = lane_.put(payload);
      batch.put(kRecordFamily, record_key(put.lane, put.seq), *put.bytes);
    }
    put_number(batch, kCommitKey, ++commit_);
    return finish(batch);
  }
  std::string finish(BatchBuilder& batch) {
    const std::uint64_t first = sequence_;
    sequence_ += batch.count();
    return batch.finish(first);
  }
  // A value of the meta: the number of its commit, and what it says.
  static void put_number(BatchBuilder& batch, std::string_view key, std::uint64_t commit,
                         std::string_view value = {}) {
    std::string stored;
    append_le(stored, commit);
    batch.put(kMetaFamily, key, stored.append(value));
  }
  std::uint64_t sequence() const { return sequence_; }  // of the next operation

 private:
  LaneWriter lane_;
  std::uint64_t commit_ = 0, sequence_ = 100;
};

}  // namespace tideover::wal
