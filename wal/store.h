// The port between the queue and what keeps bytes: RocksStore in production, MemStore in the simulator. Both
// are held to tests/contract.
//
// Executor: commit(), open() and release() on the write worker; read() on the read worker, so that a stuck
// sync does not stop the delivery of what is durable; usage() on any thread. The two workers may call at one
// time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wal/base/result.h"
#include "wal/base/strong.h"
#include "wal/record.h"

namespace tideover::wal {

// One atomic batch: all of it is durable after commit(), or none of it counts.
struct StoreBatch {
  struct Put {
    LaneId lane;
    Seq seq;
    std::shared_ptr<const std::string> bytes;  // sealed envelope and payload
  };
  std::vector<Put> records;                               // each key is written once in its life
  std::vector<std::pair<std::string, std::string>> meta;  // key, value; an empty value removes the key
  // What is durable after commit() stands in two places that one damaged byte cannot take together, of which
  // neither is that of the records that come next. Dear: for what is born once and never written again.
  bool anchor = false;
};

// What the store holds when it is opened: all meta, and the first and the last intact record of every lane.
struct StoreImage {
  std::map<std::string, std::string> meta;
  std::map<LaneId, StoredRecord> tails;
  // A head may have been released already: nothing says how far, but the cursors.
  std::map<LaneId, StoredRecord> heads;
  // Records of damaged groups that nothing was written after: their totals went with them, so no gap shows.
  std::uint64_t damaged_at_tail = 0;
  bool meta_damaged = false;  // some meta could not be read: what is missing here may once have been written
};

struct SeqRange {
  Seq from;
  Seq until;  // first not in it

  bool operator==(const SeqRange&) const = default;
};

// What of a lane will never be read again: what is before `before`, without what is in `kept`.
struct Released {
  Seq before;
  std::vector<SeqRange> kept = {};  // ascending, none empty, all below `before`

  Released(Seq mark, std::vector<SeqRange> islands = {}) : before(mark), kept(std::move(islands)) {}
  Released() = default;
  bool contains(Seq seq) const;
  std::vector<SeqRange> ranges() const;  // what is released, from number 0 on
  bool operator==(const Released&) const = default;
};

struct ReadRequest {
  LaneId lane;
  Seq from;                     // first wanted
  Seq until;                    // first not wanted; every number in between was committed, and not released
  std::uint64_t max_bytes = 0;  // stop after the record that reaches it; at least one record is returned
};

// The records found, in order. A number in [from, next) without a record is lost: its block is damaged.
struct ReadRange {
  std::vector<StoredRecord> records;
  Seq next;  // where to go on; > from unless the result is an error
};

struct StoreUsage {
  std::uint64_t disk_bytes = 0;  // files of the store, as allocated
  std::uint64_t free_bytes = 0;  // of the file system, for this user
  std::uint64_t total_bytes = 0;
  std::uint64_t set_aside_bytes = 0;  // not free, and given up when nothing is
  std::uint64_t reopen_bytes =
      0;  // that opening the store takes: not to be used for records; 0: nothing ever
  std::uint64_t memory_bytes = 0;      // caches, memtables, readers
  std::uint64_t unreadable_pages = 0;  // places of 4 KiB that the device refused to read, since the start
};

class Store {
 public:
  virtual ~Store() = default;

  // Blocking. Opens, or opens again after commit() failed; may be called any number of times, and until it
  // succeeds read() goes on serving what it can. Costs the same whatever the backlog. Damaged files are
  // skipped, not fatal. Errors: store_busy, store_refused (do not retry); disk_full, io_error (retry later).
  virtual Result<StoreImage> open() = 0;

  // Blocking. Writes and syncs. After an error nothing more can be written until open() succeeds again, and
  // whether the failed batch is part of the image then is not known: callers were told "no", so finding it
  // there means a duplicate, never a loss. Errors: disk_full, io_error, unavailable.
  virtual Result<> commit(const StoreBatch& batch) = 0;

  // Blocking. Errors: unavailable, io_error. Damage is not an error: see ReadRange.
  virtual Result<ReadRange> read(const ReadRequest& request) = 0;

  // Blocking, needs no free space. What is released stays released. Its space is given back when that is
  // cheap, and by rewriting when nothing but the lane's last record is left, which asks for it: the lane is
  // at rest. Asked again, it looks again, at next to no cost when there is nothing to be gained. Called only
  // after a commit whose meta says the same, so a crash in between costs space, not data.
  virtual void release(LaneId lane, const Released& released) = 0;

  virtual StoreUsage usage() const = 0;
};

}  // namespace tideover::wal
