// Group commit by back-pressure: whatever came during the last sync is the next group.
//
// Executor: io; one group at a time is on the write worker. A group is one atomic batch: appended records,
// records diverted by acknowledgements, the state of every cursor that moved, and the lanes' tails. What is
// born (a lane, a cursor) is a group of its own before the next records: see StoreBatch::anchor. After a
// failed group nothing is written until the store was opened again; appends are refused meanwhile, moves of
// cursors are kept in memory and written afterwards.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wal/cursor.h"
#include "wal/lane.h"
#include "wal/limits.h"
#include "wal/metrics.h"
#include "wal/queue.h"
#include "wal/store.h"
#include "wal/unwritten.h"
#include "wal/waiting_line.h"

namespace tideover::wal {

class Committer {
 public:
  struct Hooks {
    std::function<LaneValue(const Lane&)> value_of;  // of a lane, as sealed
    std::function<void()> settled;  // a group became durable; cursors in it may be released behind
    std::function<void(const std::string& key, const std::string& value)> noted;  // a producer's note did
    std::function<void(StoreImage)> reopened;  // the store came back after a fault
  };
  using Done = std::function<void(Result<>)>;

  // All references outlive the committer.
  Committer(Store& store, Worker& writer, Clock& clock, const WalLimits& limits, WalMetrics& metrics,
            Hooks hooks);
  ~Committer();

  void append(Lane& lane, NewRecord record, std::vector<Checkpoint> checkpoints, Done done);
  void note(std::vector<Checkpoint> checkpoints, Done done);  // without a record; an empty value removes it
  // Goes into the same group as the present state of `cursor`, whatever its size.
  void divert(Lane& lane, NewRecord record);
  void born(Lane& lane);  // before anything that is appended from now on
  void born(Lane& lane, Cursor& cursor);
  void changed(Lane& lane);                      // its value, without a record of it
  void moved(const Lane& lane, Cursor& cursor);  // durable with the next group, at most ack_delay later
  void forget(Lane& lane, Cursor& cursor);       // removes its durable state with the next group
  void flush(Done done);  // completes when all of the above so far is durable, or cannot be
  void stop();            // no more timers; what waits is answered `stopping`

  // Diverted to it, not durable yet.
  std::uint64_t pending_units(const Lane& lane) const { return unwritten_.pending_units(lane); }
  const std::optional<Error>& fault() const { return fault_; }

  void start_from(std::uint64_t number) { unwritten_.start_from(number); }  // as found in the image

 private:
  void pump(bool force);
  void submit(Group group);
  void committed(std::shared_ptr<Group> group, Result<> result, Duration took);
  void failed(std::shared_ptr<Group> group, const Error& error);
  void settle_meta(const Group& group);
  void reopen_later();
  void reopen();
  void adopt(StoreImage image);
  void arm(Duration delay);

  Store& store_;
  Worker& writer_;
  Clock& clock_;
  const WalLimits& limits_;
  WalMetrics& metrics_;
  const Hooks hooks_;

  WaitingLine waiting_;
  Unwritten unwritten_;

  bool busy_ = false;  // a group or a reopening is on the worker
  bool stopping_ = false;
  std::optional<Error> fault_;
  std::shared_ptr<Group> unsure_;  // the group that failed: only the image tells whether it was applied
  std::optional<Clock::TimerId> timer_;
  Time timer_at_;
};

}  // namespace tideover::wal
