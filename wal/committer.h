// Group commit by back-pressure: whatever came during the last sync is the next group.
//
// Executor: io; one group at a time is on the write worker. A group is one atomic batch: appended records,
// records diverted by acknowledgements, the state of every cursor that moved, and the lanes' tails. After a
// failed group nothing is written until the store was opened again; appends are refused meanwhile, moves of
// cursors are kept in memory and written afterwards.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "wal/cursor.h"
#include "wal/lane.h"
#include "wal/limits.h"
#include "wal/metrics.h"
#include "wal/queue.h"
#include "wal/store.h"

namespace tideover::wal {

class Committer {
 public:
  struct Hooks {
    std::function<void()> settled;             // a group became durable; cursors in it may be released behind
    std::function<void(StoreImage)> reopened;  // the store came back after a fault
  };
  using Done = std::function<void(Result<>)>;

  // All references outlive the committer.
  Committer(Store& store, Worker& writer, Clock& clock, const WalLimits& limits, WalMetrics& metrics,
            Hooks hooks);
  ~Committer();

  void append(Lane& lane, NewRecord record, Checkpoint checkpoint, Done done);
  // Goes into the same group as the present state of `cursor`, whatever its size.
  void divert(Lane& lane, NewRecord record);
  void moved(const Lane& lane, Cursor& cursor);   // durable with the next group, at most ack_delay later
  void forget(const Lane& lane, Cursor& cursor);  // removes its durable state with the next group
  void flush(Done done);  // completes when all of the above so far is durable, or cannot be
  void stop();            // no more timers; what waits is answered `stopping`

  std::uint64_t waiting_bytes() const { return waiting_bytes_; }
  std::uint64_t divert_bytes() const { return divert_bytes_; }
  std::uint64_t pending_units(const Lane& lane) const;  // diverted to it, not durable yet
  const std::optional<Error>& fault() const { return fault_; }
  bool idle() const { return !busy_; }

  void start_from(std::uint64_t number) { number_ = number; }  // as found in the image

 private:
  struct Waiting {
    Lane* lane;  // null: a barrier of flush()
    NewRecord record;
    Checkpoint checkpoint;
    Done done;
    Time since;
  };
  struct Divert {
    Lane* lane;
    NewRecord record;
  };
  struct Group {
    std::uint64_t number = 0;
    StoreBatch batch;
    std::map<Lane*, std::vector<StoredRecord>> sealed;
    std::vector<Waiting> waiters;                 // their records are in `sealed`
    std::vector<std::pair<Lane*, Seq>> diverted;  // which of `sealed` were diverted, to put them back
    struct Place {
      Cursor* cursor;
      Seq next;
      bool removed;
    };
    std::map<std::string, Place> moved;
  };

  void pump(bool force);
  Group form();
  void add(Group& group, Lane& lane, NewRecord record);
  void submit(Group group);
  void committed(std::shared_ptr<Group> group, Result<> result, Duration took);
  void failed(std::shared_ptr<Group> group, const Error& error);
  void settle_diverted(const Group& group);
  void reopen_later();
  void reopen();
  void adopt(StoreImage image);
  void arm();

  Store& store_;
  Worker& writer_;
  Clock& clock_;
  const WalLimits& limits_;
  WalMetrics& metrics_;
  const Hooks hooks_;

  std::deque<Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  std::deque<Divert> diverts_;
  std::uint64_t divert_bytes_ = 0;
  std::map<const Lane*, std::uint64_t> pending_;  // units by lane, for the ledger
  struct Move {
    Cursor* cursor;
    bool removed;
  };
  std::map<std::string, Move> moved_;  // by meta key

  std::uint64_t number_ = 0;  // of the last group formed
  bool busy_ = false;         // a group or a reopening is on the worker
  bool stopping_ = false;
  std::optional<Error> fault_;
  std::shared_ptr<Group> unsure_;  // the group that failed: only the image tells whether it was applied
  std::optional<Clock::TimerId> timer_;
};

}  // namespace tideover::wal
