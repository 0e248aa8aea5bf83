// Sends a stream to an agent over keep-alive connections, one request in flight on each, as a Prometheus with
// that many shards does; flat out, or at a given rate.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/stream.h"

namespace tideover::bench {

struct LoadOptions {
  std::uint16_t port = 0;  // on 127.0.0.1
  std::string target = "/api/v1/write";
  std::chrono::seconds duration{30};
  std::uint64_t samples_max = UINT64_MAX;
  double samples_per_second = 0;  // 0: flat out
  bool digest = false;
  bool may_run_ahead = false;                              // of the clock: nobody who minds receives it
  std::atomic<std::uint64_t>* accepted_samples = nullptr;  // counts along, for a thread that watches
};

struct LoadResult {
  std::uint64_t accepted_samples = 0;  // in requests answered 2xx
  std::uint64_t accepted_requests = 0;
  std::uint64_t accepted_bytes = 0;  // compressed
  std::uint64_t refused = 0;         // answered 503, and sent again
  std::uint64_t digest = 0;          // of the accepted samples
  std::uint64_t owed_samples = 0;    // at a given rate: due by the end, and not accepted
  double seconds = 0;
  // Sorted. At a given rate they count from the moment at which a request was due, whatever kept it waiting.
  std::vector<float> latencies_s;
  std::string failure;  // why the load ended early; empty when it did not
};

// Blocking. Restamps the stream's requests.
LoadResult run_load(Stream& stream, const LoadOptions& options);

}  // namespace tideover::bench
