// The durable middle of the agent.
//
// Producers append, senders read and acknowledge; nothing here knows what a record means or where it goes.
// Executor: every verb on the io executor, so there is no locking; the store's blocking calls run on two
// workers. Durability: when append() completes without error its records survive a power cut. Group commit by
// back-pressure: whatever came during the last sync is the next group, and one sync serves them all.
// Crash between commit and reply: the client sees an error and repeats; duplicates are possible, loss is not.
// Acknowledgements ride in the next group; a crash before it repeats a delivery, it never loses one.
// What damage took of lanes, cursors and records is counted, and ends nothing: docs/WAL_FORMAT.md section 4.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wal/base/clock.h"
#include "wal/base/result.h"
#include "wal/base/strong.h"
#include "wal/base/worker.h"
#include "wal/ledger.h"
#include "wal/limits.h"
#include "wal/record.h"
#include "wal/store.h"

namespace tideover::wal {

struct WalMetrics;

// Handles of an open cursor and of a signal; valid as long as the queue lives.
using CursorId = Strong<struct CursorIdTag, std::uint32_t>;
using SignalId = Strong<struct SignalIdTag, std::uint32_t>;

enum class Keep : std::uint8_t {
  required,     // its backlog may cause refusal of new records
  best_effort,  // loses its oldest, counted, before it costs others anything
};
enum class StartAt : std::uint8_t { now, oldest };

struct LaneOptions {
  std::uint64_t max_bytes = 0;  // budget for what required cursors have not acknowledged
  bool refuse_at_floor = true;  // also refuse when the file system is below its free-space floor
  SignalId signal{};            // with whose lanes it shares its memory; 0: that of WalLimits
};

// A producer's own durable note (a file position), committed with its records.
struct Checkpoint {
  std::string key;
  std::string value;  // empty: removes it
};

// One run of records for a sender. Numbers in [first, next) without a record are damaged; `damaged_units`
// counts what they held, known from the totals of their neighbours.
struct Batch {
  Seq first;
  Seq next;
  std::vector<StoredRecord> records;
  std::uint64_t damaged_records = 0;
  std::uint64_t damaged_units = 0;
};

// What became of the records before `upto`. Whatever `losses` and `diverts` do not name was delivered;
// damaged records are counted by the queue itself.
struct Ack {
  Seq upto;  // first record not settled yet: the start or end of a record of the last batch read, or the
             // batch's `next`
  struct Loss {
    Reason reason;
    std::uint64_t units;
  };
  std::vector<Loss> losses;
  struct Divert {
    LaneId to;
    NewRecord record;
    bool settles = true;  // false: a copy for inspection (reject store), the units are named in `losses`
  };
  std::vector<Divert> diverts;  // appended to their lanes in the same atomic batch
  std::uint64_t probable_duplicates = 0;
  std::uint64_t under_reported = 0;
  std::uint64_t stripped = 0;
};

struct LaneUsage {
  Totals accepted;               // since the lane exists
  Totals held;                   // records some cursor still needs, each once
  std::uint64_t room_bytes = 0;  // how much more append() takes while nothing is delivered; kNoBound: any
  std::uint64_t max_bytes = 0;
  std::uint64_t pending_units =
      0;  // diverted here by acknowledgements, not durable yet: in no cursor's account
};

struct CursorUsage {
  std::string name;
  Seq position;          // first record not settled
  Seq overtaken_before;  // as marked
  Totals behind;         // tail minus position
  Totals accepted;       // since the cursor exists
  Ledger ledger;
  Keep keep = Keep::required;
  std::int64_t oldest_ms = 0;  // arrival of its oldest unsettled record, as last read; 0 when there is none
};

// Why appends are refused right now, if they are.
struct Refusal {
  Errc code;
  std::string sentence;
};

class Queue {
 public:
  // All references outlive the queue.
  Queue(Store& store, Worker& writer, Worker& reader, Clock& clock, const WalLimits& limits,
        WalMetrics& metrics);
  ~Queue();  // after stop() has completed

  // Opens the store. Errors: those of Store::open; store_refused also for what a newer version wrote.
  awaitable<Result<>> open();

  // Lanes of one signal share what may wait, what is kept in memory and their part of a group. In memory
  // alone.
  SignalId open_signal(const SignalLimits& limits);

  // Finds or creates by stable name, at any time. What is created is durable before any later append is.
  LaneId open_lane(std::string_view name, const LaneOptions& options);
  CursorId open_cursor(LaneId lane, std::string_view name, Keep keep, StartAt start);
  // Nobody serves this cursor any more: it keeps what it has, best effort, and takes nothing more until it is
  // opened again; then what came meanwhile is none of its own. Before the first append: durable with that.
  // Errors: not_found.
  Result<CursorId> leave_cursor(LaneId lane, std::string_view name);
  std::optional<LaneId> find_lane(std::string_view name) const;  // open, or found when the queue was opened

  // One group commit for all waiters. Errors: over_budget, disk_floor, disk_full, io_error, unavailable,
  // stopping. Checkpoints are in the record's own batch: all of them with it, or none.
  // Two verbs instead of a default argument: GCC 12 frees aggregate temporaries of a co_await expression
  // twice.
  awaitable<Result<>> append(LaneId lane, NewRecord record);
  awaitable<Result<>> append(LaneId lane, NewRecord record, std::vector<Checkpoint> checkpoints);

  // Durable records from `from` on, in order: from memory while they are fresh, from the store otherwise.
  // Ends at once with an empty batch when there is none. Errors: unavailable, io_error, stopping.
  awaitable<Result<Batch>> read(CursorId cursor, std::uint64_t max_bytes);

  // Moves the cursor in memory at once; durable with the next group, at most `WalLimits::ack_delay` later.
  // False when the cursor lost its oldest to keep a budget since the last read: nothing was done, and what
  // was read is not to be used any more.
  bool ack(CursorId cursor, Ack ack);

  // For the sender's own memory: records before `before` may be overtaken by newer ones, in this life or a
  // later one. Durable when it completes without error. Errors: as append().
  awaitable<Result<>> mark_overtaken(CursorId cursor, Seq before);

  // Completes when there is something to read behind the cursor, or at `deadline`.
  awaitable<void> wait_readable(CursorId cursor, Time deadline);
  void interrupt(CursorId cursor);  // ends its wait_readable early, for shutdown and for operators

  // An operator gives up a cursor and what only it still needs. Errors: not_found.
  Result<> drop_cursor(LaneId lane, std::string_view name);
  // Gives up a lane with all its cursors: appends are refused with not_found from now on, until it is opened
  // again, empty and with numbers that go on. Errors: not_found.
  Result<> drop_lane(LaneId lane);

  // Producers' notes as they are durable; one that moves without a record, or is removed. Errors: as
  // append().
  std::optional<std::string> checkpoint(std::string_view key) const;
  std::vector<Checkpoint> checkpoints(std::string_view prefix) const;
  awaitable<Result<>> put_checkpoint(Checkpoint checkpoint);
  awaitable<Result<>> put_checkpoints(std::vector<Checkpoint> checkpoints);  // in one batch

  // Completes when everything appended and acknowledged so far is durable, or cannot be made so.
  awaitable<Result<>> flush();
  // Refuses new appends and commits what waits; nothing of the queue is left on any worker when it completes.
  awaitable<void> stop();

  std::optional<Refusal> refusal(LaneId lane, std::uint64_t bytes) const;  // what append() would say now
  std::optional<Error> fault() const;  // since a commit failed, until the store was opened again
  LaneUsage usage(LaneId lane) const;
  std::vector<CursorUsage> cursors(LaneId lane) const;
  StoreUsage store_usage() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::wal
