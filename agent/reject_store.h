// What receivers refused for good, as operators read it: a page at a time, and nothing moves.
//
// Executor: io; the store is read on the worker that the queue reads with.
#pragma once

#include <string>

#include "agent/admin/rejects.h"
#include "wal/base/clock.h"
#include "wal/base/worker.h"
#include "wal/queue.h"

namespace tideover {

inline constexpr std::uint64_t kRejectPageBytes = 256 << 10;  // of the store, or one record

// The references outlive the call. `lane`: the name of the signal's. Errors: not_found, io_error,
// unavailable.
awaitable<Result<admin::RejectPage>> read_rejects(wal::Store& store, Worker& worker, const wal::Queue& queue,
                                                  std::string lane, std::string destination, Seq from);

}  // namespace tideover
