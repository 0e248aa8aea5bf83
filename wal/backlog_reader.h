// Reads what is durable behind a cursor: from memory while it is fresh, from the store otherwise.
//
// Executor: io; the store's blocking reads are jobs on the read worker. Damage is read over until something
// readable, or the tail, says how much it held.
#pragma once

#include "wal/base/clock.h"
#include "wal/base/result.h"
#include "wal/base/worker.h"
#include "wal/lane_table.h"
#include "wal/limits.h"
#include "wal/store.h"

namespace tideover::wal {

class BacklogReader {
 public:
  // All references outlive the reader, and every coroutine of it.
  BacklogReader(Store& store, Worker& worker, Clock& clock, const WalLimits& limits)
      : store_(store), worker_(worker), clock_(clock), limits_(limits) {}

  // As Queue::read(). `open` outlives the call.
  awaitable<Result<Batch>> read(OpenCursor& open, std::uint64_t max_bytes);
  void stop() { stopping_ = true; }

 private:
  awaitable<bool> drop_is_durable(OpenCursor& open);

  Store& store_;
  Worker& worker_;
  Clock& clock_;
  const WalLimits& limits_;
  bool stopping_ = false;
};

}  // namespace tideover::wal
