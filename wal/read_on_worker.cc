#include "wal/read_on_worker.h"

#include <functional>
#include <memory>
#include <utility>

#include "wal/base/await_callback.h"

namespace tideover::wal {

awaitable<Result<ReadRange>> read_on(Worker& worker, Store& store, ReadRequest request) {
  auto start = [&worker, &store, request](std::function<void(Result<ReadRange>)> done) {
    auto range = std::make_shared<Result<ReadRange>>(fail(Errc::unavailable, "not read yet"));
    worker.submit([&store, request, range] { *range = store.read(request); },
                  [range, done = std::move(done)] { done(std::move(*range)); });
  };
  co_return co_await await_callback<Result<ReadRange>>(std::move(start));
}

}  // namespace tideover::wal
