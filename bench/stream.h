// The requests of one round of a stream, ready to send: each connection has its own series, as each shard of
// a Prometheus has, so that requests in flight on different connections cannot put a series out of order.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/patchable.h"
#include "bench/source.h"
#include "forwarders/remote_write/remote_write.h"
#include "wal/base/result.h"

namespace tideover::bench {

struct SeriesHashes {
  std::vector<std::uint64_t> of_labels;  // by series; of a churning one without its churn label
  std::uint32_t churning = 0;            // the first so many series
};

class PreparedRequest {
 public:
  PreparedRequest(PatchableRequest body, std::vector<SourceSample> samples)
      : body_(std::move(body)), samples_(std::move(samples)) {}

  std::string_view stamped(std::int64_t base_ms, std::uint32_t repetition = 0);
  std::uint64_t samples() const { return samples_.size(); }
  std::uint64_t digest(const SeriesHashes& hashes, std::int64_t base_ms, std::uint32_t repetition = 0) const;

 private:
  PatchableRequest body_;
  std::vector<SourceSample> samples_;
};

struct StreamOptions {
  remote_write::Version version = remote_write::Version::v1;
  std::uint32_t connections = 8;
  std::uint32_t samples_per_request = 500;
};

struct Stream {
  remote_write::Version version = remote_write::Version::v1;
  std::vector<std::vector<PreparedRequest>> by_connection;
  SeriesHashes hashes;
  std::uint32_t ticks = 0;  // milliseconds that one round takes up in the samples' timestamps
  std::uint64_t samples = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;  // as sent, compressed
};

// Errors: bad_input.
Result<Stream> prepare(const Source& source, const StreamOptions& options);

}  // namespace tideover::bench
