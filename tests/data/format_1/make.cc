// Made the directory beside it, with commit 6c947fc, the last one that wrote format 1. Not built with the
// tree: the code of today writes a newer format. README.md says what is in it.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include "tests/data/format_1/content.h"
#include "wal/base/invariant.h"
#include "wal/base/system_clock.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"
#include "wal/queue.h"
#include "wal/rocks_store.h"

using namespace tideover;
using namespace tideover::wal;

namespace {

struct Life {
  explicit Life(const std::string& directory)
      : store({.directory = directory, .ballast_bytes = 0, .note = {}}) {}

  void run(awaitable<void> task) {
    boost::asio::co_spawn(io, std::move(task), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    io.restart();
    io.run();
  }

  RocksStore store;
  boost::asio::io_context io;
  SystemClock clock{io};
  WalMetrics metrics;
  ThreadWorker writer{"writer", io.get_executor()}, reader{"reader", io.get_executor()};
  Queue queue{store, writer, reader, clock, WalLimits{}, metrics};
};

awaitable<void> append(Queue& queue, LaneId lane, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t i = first; i <= last; ++i) {
    NewRecord record = format_1::record(i);
    Checkpoint checkpoint;
    checkpoint.key = i % 2 == 0 ? "position/even" : "position/removed";
    if (i % 2 == 0 || i < 39) checkpoint.value = std::to_string(i);
    const Result<> appended = co_await queue.append(lane, std::move(record), std::move(checkpoint));
    invariant(appended.has_value(), "an append succeeds");
  }
}

// Reads what is there in one batch and acknowledges up to `upto`.
awaitable<void> acknowledge(Queue& queue, CursorId cursor, Ack ack) {
  const Result<Batch> batch = co_await queue.read(cursor, 1 << 20);
  invariant(batch.has_value(), "a read succeeds");
  invariant(queue.ack(cursor, std::move(ack)), "an acknowledgement is taken");
  const Result<> flushed = co_await queue.flush();
  invariant(flushed.has_value(), "a flush succeeds");
}

}  // namespace

int main(int, char** argv) {
  {
    Life life(argv[1]);
    auto first = [](Queue& queue) -> awaitable<void> {
      (void)co_await queue.open();
      const LaneId lane = queue.open_lane("metrics", {0, false});
      const CursorId thanos = queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
      queue.open_cursor(lane, "second", Keep::required, StartAt::oldest);
      co_await append(queue, lane, 1, 40);
      Ack ack;
      ack.upto = Seq{11};
      co_await acknowledge(queue, thanos, std::move(ack));
      co_await queue.stop();
    };
    life.run(first(life.queue));
  }
  Life life(argv[1]);
  auto second = [](Queue& queue) -> awaitable<void> {
    (void)co_await queue.open();
    const LaneId lane = queue.open_lane("metrics", {0, false});
    const LaneId rejects = queue.open_lane("metrics/rejects/thanos", {0, false});
    const CursorId thanos = queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
    queue.open_cursor(lane, "second", Keep::required, StartAt::oldest);
    queue.open_cursor(rejects, "thanos", Keep::best_effort, StartAt::oldest);
    co_await append(queue, lane, 41, 60);
    Ack ack;
    ack.upto = Seq{16};
    ack.losses.push_back({Reason::duplicate, 2});
    ack.losses.push_back({Reason::bad_request, 1});
    ack.diverts.push_back({rejects, format_1::record(101), false});
    ack.diverts.push_back({rejects, format_1::record(102), false});
    ack.probable_duplicates = 3;
    co_await acknowledge(queue, thanos, std::move(ack));
    const Result<> marked = co_await queue.mark_overtaken(thanos, Seq{20});
    invariant(marked.has_value(), "a mark is taken");
    ::_exit(0);  // as a crash would end it
  };
  life.run(second(life.queue));
}
