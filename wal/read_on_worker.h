// A read of the store that the io executor waits for: Store::read() blocks.
#pragma once

#include "wal/base/clock.h"
#include "wal/base/result.h"
#include "wal/base/worker.h"
#include "wal/store.h"

namespace tideover::wal {

// On the io executor. Both outlive the read. Errors: as Store::read().
awaitable<Result<ReadRange>> read_on(Worker& worker, Store& store, ReadRequest request);

}  // namespace tideover::wal
