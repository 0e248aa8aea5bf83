// The store of the simulator and of the tests: a disk in memory that can fail, fill, rot and lose power.
//
// Held to the same contract suite as RocksStore. An object is the disk: it outlives the queue that uses it,
// crash() is the power cut in between, and the next queue opens it again.
// Executor: any thread, like the port it implements; the verbs of faults belong between the calls of a test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "wal/store.h"

namespace tideover::wal {

class MemStore final : public Store {
 public:
  // What the next open() finds of a batch whose commit failed: the caller cannot know, the test decides.
  enum class Outcome : std::uint8_t { lost, applied };

  Result<StoreImage> open() override;
  Result<> commit(const StoreBatch& batch) override;
  Result<ReadRange> read(const ReadRequest& request) override;
  void release(LaneId lane, const Released& released) override;
  StoreUsage usage() const override;

  // Power cut: what was not committed is gone, except a failed batch that had reached the disk
  // (Outcome::applied). Every verb but open() answers `unavailable` until the next open().
  void crash();

  // Faults. Each stands until it has happened once; `until_healed` ones stand until heal().
  void fail_next_commit(Errc code, Outcome outcome = Outcome::lost);
  void fail_commits_until_healed(Errc code, Outcome outcome = Outcome::lost);
  void fail_next_open(Errc code);
  void fail_opens_until_healed(Errc code);
  void fail_next_read(Errc code);
  void heal();

  // Flips a byte of a stored record, so that its envelope no longer matches. False: no such record.
  bool damage(LaneId lane, Seq seq);

  // What a damaged byte of the log takes: the records of the group that was committed as the `commit`th, and
  // of its meta what was written in no other group since and is not anchored.
  void lose_group(std::uint64_t commit);
  // Both copies of the meta, with every cursor and every lane; the records stay.
  void lose_meta();
  // One value of it, in both copies.
  void lose_meta(const std::string& key);
  void set_meta(const std::string& key, std::string value);
  std::optional<std::string> meta(const std::string& key) const;
  // Another record under the number of this one, as a table put together from the wrong blocks would have it.
  void misplace(LaneId lane, Seq seq, LaneId from, Seq other);

  // Records behind release() stay readable and come up as tails again, as they may in a real store.
  void set_lazy_release(bool lazy);

  // Figures of the file system. A commit that needs more than what is free fails with disk_full by itself.
  void set_free_bytes(std::uint64_t bytes);
  void set_total_bytes(std::uint64_t bytes);
  void set_reopen_bytes(std::uint64_t bytes);
  void set_unreadable_pages(std::uint64_t pages);

  std::uint64_t commits() const;  // that succeeded
  std::uint64_t record_count() const;

 private:
  struct Fault {
    Errc code;
    Outcome outcome = Outcome::lost;
    bool until_healed = false;
  };
  using Key = std::pair<LaneId, Seq>;
  using Bytes = std::shared_ptr<const std::string>;
  struct Kept {
    Bytes bytes;
    std::uint64_t commit;
  };
  struct Value {
    std::string bytes;
    std::uint64_t commit;
    bool anchored;
  };
  enum class State : std::uint8_t { closed, open, failed };

  static std::optional<Fault> take(std::optional<Fault>& fault);
  void apply(const StoreBatch& batch);

  mutable std::mutex mutex_;
  State state_ = State::closed;
  std::map<Key, Kept> records_;
  std::map<std::string, Value> meta_;
  bool meta_lost_ = false;
  std::optional<StoreBatch> unsynced_;  // of a failed commit that will be found applied
  std::optional<Fault> commit_fault_, open_fault_, read_fault_;
  bool lazy_release_ = false;
  std::uint64_t free_bytes_ = std::uint64_t{64} << 30;
  std::uint64_t unreadable_pages_ = 0;
  std::uint64_t total_bytes_ = std::uint64_t{128} << 30;
  std::uint64_t reopen_bytes_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t commits_ = 0;
};

}  // namespace tideover::wal
