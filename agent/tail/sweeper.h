// One look at all logs of a node, and what to do with what it found: the part of the spool that blocks.
//
// A sweep goes round the containers, begins where the last one stopped, reads at most `slice_bytes` of each
// (more while only a few have more), and stops when it has a record's worth. So one that floods delays no
// other by more than a sweep. One that had nothing is looked at again after `poll`, and costs then a look at
// its directory and one at its file.
// What it gives is to become durable in one batch; then committed(), or rollback() and all of it comes again.
// Positions of what has no lines are not worth a sync: they ride with the next record, `position_delay` at
// most.
//
// Where to begin with a container that has no position: at the beginning of what is on disk. Also on the very
// first start on a node, deliberately: what a node has kept is at most 50 MiB of each container (kubelet's
// containerLogMaxSize and containerLogMaxFiles), no more than any outage leaves to be read, and whoever
// replaces another agent wants the gap between the two closed; what Loki has already is the same to the
// nanosecond and to the byte, and stored once. Whoever wants otherwise imports positions first.
//
// Memory: `record_bytes` twice and one slice (lines that are empty or no UTF-8 grow up to ninefold as
// entries), the read buffer, and per container about a KiB for each of its files and at most 1 MiB of a line
// that the runtime has not ended. Descriptors: twice `open_files_max`: those that are read
// and those that a sweep has left, which are held until it is committed. Bytes on
// disk that removed files hold: `pinned_bytes_max`, beyond which the largest are given up and counted as
// missed. Executor: sweep() and rollback() on a worker, they block; everything else on io, while neither
// runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/tail/chain_reader.h"
#include "agent/tail/discovery.h"
#include "agent/tail/files.h"
#include "agent/tail/gathering.h"
#include "agent/tail/stream_labels.h"
#include "agent/tail/tally.h"
#include "wal/base/clock.h"
#include "wal/queue.h"

namespace tideover::tail {

inline constexpr std::string_view kPositionPrefix = "logs/position/";  // + path below the directory of pods

struct SweepOptions {
  Discovery::Options discovery;
  ReaderOptions reader;
  std::uint64_t record_bytes = 1 << 20;
  // Of files in one sweep, since what rules drop makes no record full: so it ends, and stop() with it.
  std::uint64_t read_bytes = 8 << 20;
  // A block less the longest line of a runtime, which may be left of it: one block is one slice.
  std::uint64_t slice_bytes = 236 << 10;
  std::size_t buffer_bytes = 256 << 10;
  std::size_t open_files_max = 256;
  std::uint64_t pinned_bytes_max = 256 << 20;
  Duration poll = std::chrono::seconds(1);
  Duration position_delay = std::chrono::seconds(60);
};

struct Swept {
  std::optional<wal::NewRecord> record;
  std::vector<wal::Checkpoint> positions;  // with the record, or by themselves
  bool more = false;                       // there is more to read at once
  std::vector<std::string> notes;          // sentences for the log

  bool empty() const { return !record && positions.empty(); }
};

class Sweeper {
 public:
  // `positions`: all that are durable, by keys as they were given. `files` outlives it.
  Sweeper(Files& files, StreamLabels labels, const SweepOptions& options,
          const std::vector<wal::Checkpoint>& positions);
  ~Sweeper();

  // One sweep is out at a time, unless it was empty.
  Swept sweep(std::int64_t unix_ns, Time now);
  void committed();
  void rollback();

  SpoolStatus describe(std::size_t largest_max) const;

 private:
  struct Entry;
  using Entries = std::map<std::string, Entry, std::less<>>;

  void discover(Time now, std::int64_t unix_ns, Swept& swept);
  void adopt();
  void keep_bounds();
  bool due(const Entry& entry, Time now) const;
  // How many bytes it read.
  std::uint64_t read(Entries::iterator entry, std::uint64_t bytes_max, Time now, std::int64_t unix_ns,
                     Swept& swept);
  void open_reader(const std::string& path, Entry& entry);
  void add_waiting(Time now, Swept& swept);
  void forget(Entries::iterator entry);

  Files& files_;
  const StreamLabels labels_;
  const SweepOptions options_;
  Discovery discovery_;
  Entries entries_;
  Gathering gathering_;
  std::vector<char> buffer_;
  std::string next_;  // where the next sweep begins
  Time discover_at_{};
  std::size_t left_files_ = 0;          // that this sweep has read to their end, held until it is committed
  std::size_t open_ = 0;                // that hold a file
  std::vector<Entries::iterator> out_;  // whose slices are out
  std::vector<Entries::iterator> riding_;  // whose waiting positions are
  std::vector<Entries::iterator> over_;    // that have ended, with nothing to be committed
  bool adopt_again_ = false;               // one that has ended may be there again, or room for another one
  std::uint64_t left_out_ = 0;
  Tally gone_;
};

}  // namespace tideover::tail
