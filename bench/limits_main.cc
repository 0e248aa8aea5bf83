// tideover-limits: what this machine does at best with the things that a sample cannot do without, as a
// yardstick beside an agent's figures: copying memory, making a small append durable, one HTTP exchange over
// loopback. One JSON. (scan_bench has the codecs.)
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "bench/disk.h"
#include "bench/json_text.h"
#include "bench/load.h"
#include "bench/process.h"
#include "bench/report.h"
#include "bench/sink.h"
#include "bench/source.h"
#include "bench/stream.h"

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr int kSyncs = 500;
constexpr auto kExchangeTime = std::chrono::seconds(5);

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Bytes copied per second of CPU, best of several: the caches' speed or the memory's, by `bytes`.
double copied_bytes_per_s(std::size_t bytes) {
  std::string from(bytes, 'x'), to(bytes, 'y');
  const std::size_t copies = std::max<std::size_t>(1, (std::size_t{256} << 20) / bytes);
  double best_s = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double begin = cpu_seconds();
    for (std::size_t i = 0; i < copies; ++i) {
      std::memcpy(to.data(), from.data(), bytes);
      asm volatile("" : : "r"(to.data()) : "memory");  // or the compiler keeps only the last copy
    }
    best_s = std::min(best_s, cpu_seconds() - begin);
  }
  return static_cast<double>(bytes * copies) / best_s;
}

struct SyncCost {
  std::vector<float> latencies_s;  // sorted; write and sync
  double cpu_s = 0;                // of each
};

// An append changes the file's size, so that the file system's journal is part of every sync; writing over
// what is there does not.
Result<SyncCost> synced_writes(const fs::path& file, std::size_t bytes, bool append) {
  const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io_error, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  const std::string data(bytes, 'z');
  SyncCost cost;
  bool ok =
      append || (::pwrite(fd, data.data(), bytes, 0) == static_cast<ssize_t>(bytes) && ::fsync(fd) == 0);
  const double begin_cpu = cpu_seconds();
  for (int i = 0; ok && i < kSyncs; ++i) {
    const auto begin = steady_clock::now();
    const off_t at = append ? static_cast<off_t>(bytes) * i : 0;
    ok = ::pwrite(fd, data.data(), bytes, at) == static_cast<ssize_t>(bytes) && ::fdatasync(fd) == 0;
    cost.latencies_s.push_back(static_cast<float>(seconds_since(begin)));
  }
  cost.cpu_s = (cpu_seconds() - begin_cpu) / kSyncs;
  ::close(fd);
  ::unlink(file.c_str());
  if (!ok) return fail(Errc::io_error, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  std::sort(cost.latencies_s.begin(), cost.latencies_s.end());
  return cost;
}

JsonObject json_of(const SyncCost& cost) {
  JsonObject json;
  json.number("p50_ms", quantile_ms(cost.latencies_s, 0.5), 3)
      .number("p99_ms", quantile_ms(cost.latencies_s, 0.99), 3)
      .number("cpu_us", cost.cpu_s * 1e6, 1);
  return json;
}

// The generator straight into the sink, with next to nothing in each request: what HTTP costs by itself.
Result<JsonObject> exchanges(std::uint32_t connections) {
  const Source source = synthetic_source({.series = 64, .labels = 2, .label_bytes = 16, .rounds = 1});
  auto stream = prepare(source, {.connections = connections, .samples_per_request = 1});
  if (stream.has_error()) return stream.error();
  auto sink = Sink::start(false);
  if (sink.has_error()) return sink.error();
  LoadOptions load;
  load.port = static_cast<std::uint16_t>(sink->state().port);
  load.duration = kExchangeTime;
  const double before = usage_of(sink->pid()).run_s;
  const LoadResult result = run_load(*stream, load);
  const double cpu_s = usage_of(sink->pid()).run_s - before;
  if (!result.failure.empty()) return fail(Errc::io_error, result.failure);
  const auto requests = static_cast<double>(result.accepted_requests);
  JsonObject json;
  json.count("connections", connections)
      .number("requests_per_s", requests / result.seconds, 0)
      .number("server_cpu_us", cpu_s * 1e6 / requests, 1)
      .number("p50_ms", quantile_ms(result.latencies_s, 0.5), 3)
      .number("p99_ms", quantile_ms(result.latencies_s, 0.99), 3);
  return json;
}

Result<std::string> measure(const fs::path& directory) {
  if (const auto checked = must_be_on_disk(directory); checked.has_error()) return checked.error();
  const fs::path file = directory / fmt::format("tideover-limits-{}", ::getpid());
  JsonObject json;
  json.text("scenario", "limits")
      .text("subject", "machine")
      .number("memcpy_cached_gb_per_s", copied_bytes_per_s(std::size_t{128} << 10) * 1e-9, 1)
      .number("memcpy_memory_gb_per_s", copied_bytes_per_s(std::size_t{64} << 20) * 1e-9, 1);
  for (const std::size_t kib : {4, 16, 128}) {
    const auto appended = synced_writes(file, kib << 10, true);
    if (appended.has_error()) return appended.error();
    const auto overwritten = synced_writes(file, kib << 10, false);
    if (overwritten.has_error()) return overwritten.error();
    json.object(fmt::format("append_{}_kib_fdatasync", kib), json_of(*appended))
        .object(fmt::format("overwrite_{}_kib_fdatasync", kib), json_of(*overwritten));
  }
  for (const std::uint32_t connections : {1, 8}) {
    const auto exchanged = exchanges(connections);
    if (exchanged.has_error()) return exchanged.error();
    json.object(fmt::format("http_exchange_{}", connections), *exchanged);
  }
  return json.str();
}

}  // namespace
}  // namespace tideover::bench

int main(int argc, char** argv) {
  std::filesystem::path directory = "/var/tmp";
  CLI::App app{"What this machine does at best: copies, synced writes, HTTP exchanges."};
  app.add_option("--dir", directory, "directory on a real disk");
  CLI11_PARSE(app, argc, argv);
  const auto json = tideover::bench::measure(directory);
  if (json.has_error()) {
    fmt::print(stderr, "tideover-limits: {}\n", json.error().detail);
    return 1;
  }
  fmt::print("{}\n", *json);
  return 0;
}
