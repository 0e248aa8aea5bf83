// An intake of logs over a queue in memory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/ingest/loki/push_intake.h"
#include "tests/support/loop.h"
#include "tests/support/mem_store.h"
#include "tests/support/push_oracle.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"

namespace tideover::test {

struct PushFixture {
  static constexpr std::size_t kTenantsMax = 3;

  explicit PushFixture(ingest::loki::Limits entry_limits = {}) {
    REQUIRE(run(queue.open()).has_value());
    const auto lane_of = [this](std::string_view tenant) { return lane(tenant); };
    intake.emplace(queue, lane_of, clock, entry_limits, metrics);
  }
  ~PushFixture() {
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

  Result<LaneId> lane(std::string_view tenant) {
    if (const auto at = lanes.find(tenant); at != lanes.end()) return at->second.first;
    if (lanes.size() == kTenantsMax) return fail(Errc::over_budget, "more than 3 tenants are not kept apart");
    const std::string name = tenant.empty() ? "logs" : "logs/" + std::string(tenant);
    const LaneId id = queue.open_lane(name, {lane_bytes, true});
    const auto cursor = queue.open_cursor(id, "loki", wal::Keep::required, wal::StartAt::oldest);
    lanes.emplace(std::string(tenant), std::pair{id, cursor});
    return id;
  }

  static http::Request request(const http::Headers& headers, std::string body) {
    http::Request r;
    r.method = "POST";
    r.target = "/loki/api/v1/push";
    r.headers = headers;
    r.headers.add("Content-Length", std::to_string(body.size()));
    r.body = std::move(body);
    r.peer = "10.0.0.1";
    return r;
  }
  http::Response post(const http::Headers& headers, std::string body) {
    const http::Request r = request(headers, std::move(body));
    if (auto refusal = intake->check(r)) return *refusal;
    return run(intake->handle(r));
  }
  http::Response post(const PushedStreams& streams, const std::string& tenant = {}) {
    http::Headers headers{{"Content-Type", "application/x-protobuf"}};
    if (!tenant.empty()) headers.add("X-Scope-OrgID", tenant);
    return post(headers, snappy_block(written_by_generated_code(streams)));
  }

  std::vector<wal::StoredRecord> records(std::string_view tenant = {}) {
    const auto at = lanes.find(tenant);
    if (at == lanes.end()) return {};
    auto batch = run(queue.read(at->second.second, 64 << 20));
    REQUIRE(batch.has_value());
    return batch->records;
  }
  PushedStreams stored(std::string_view tenant = {}) {
    PushedStreams all;
    for (const wal::StoredRecord& record : records(tenant)) {
      const auto streams = pushed_as_generated_code_reads(snappy_plain(record.payload()));
      REQUIRE(streams.has_value());
      all.insert(all.end(), streams->begin(), streams->end());
    }
    return all;
  }
  std::uint64_t answers(ingest::loki::Format format, ingest::loki::PushAnswer answer) const {
    return metrics.requests[static_cast<std::size_t>(format)][static_cast<std::size_t>(answer)];
  }
  std::int64_t now_ns() const { return to_unix_ms(loop.clock.wall_now()) * 1'000'000; }

  wal::MemStore store;
  Loop loop;
  SystemClock& clock = loop.clock;
  ThreadWorker writer{"writer", loop.io.get_executor()};
  ThreadWorker reader{"reader", loop.io.get_executor()};
  wal::WalLimits limits;
  wal::WalMetrics wal_metrics;
  wal::Queue queue{store, writer, reader, clock, limits, wal_metrics};
  std::uint64_t lane_bytes = 64 << 20;
  std::map<std::string, std::pair<LaneId, wal::CursorId>, std::less<>> lanes;
  ingest::loki::PushMetrics metrics;
  std::optional<ingest::loki::LokiPushIntake> intake;
};

}  // namespace tideover::test
