// An intake over a queue in memory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/ingest/remote_write_intake.h"
#include "tests/support/loop.h"
#include "tests/support/mem_store.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"

namespace tideover::test {

struct IntakeFixture {
  IntakeFixture() {
    REQUIRE(run(queue.open()).has_value());
    lane = queue.open_lane("metrics", {1 << 20, true});
    cursor = queue.open_cursor(lane, "thanos", wal::Keep::required, wal::StartAt::oldest);
    intake.emplace(queue, lane, clock, metrics);
  }
  ~IntakeFixture() {
    auto stop = [](wal::Queue& q) -> awaitable<bool> {
      co_await q.stop();
      co_return true;
    };
    run(stop(queue));
  }

  template <class T>
  T run(awaitable<T> task) {
    return loop.result_of(std::move(task));
  }

  static http::Request request(remote_write::Version version, std::string body) {
    http::Request r;
    r.method = "POST";
    r.target = "/api/v1/write";
    r.headers.add("Content-Type", version == remote_write::Version::v1
                                      ? "application/x-protobuf"
                                      : "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    r.headers.add("Content-Encoding", "snappy");
    r.body = std::string(wal::kEnvelopeBytes, '\0') + body;
    return r;
  }
  http::Response post(remote_write::Version version, const std::string& raw) {
    return run(intake->handle(request(version, snappy_block(raw))));
  }
  std::vector<wal::StoredRecord> stored() {
    auto batch = run(queue.read(cursor, 1 << 20));
    REQUIRE(batch.has_value());
    return batch->records;
  }

  wal::MemStore store;
  Loop loop;
  boost::asio::io_context& io = loop.io;
  SystemClock& clock = loop.clock;
  ThreadWorker writer{"writer", io.get_executor()};
  ThreadWorker reader{"reader", io.get_executor()};
  wal::WalLimits limits;
  wal::WalMetrics wal_metrics;
  wal::Queue queue{store, writer, reader, clock, limits, wal_metrics};
  LaneId lane;
  wal::CursorId cursor;
  ingest::IntakeMetrics metrics;
  std::optional<ingest::RemoteWriteIntake> intake;
};

}  // namespace tideover::test
