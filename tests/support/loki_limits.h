// The limits of the model of Loki, each with the name that Loki's configuration has for it and its default.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tideover::test {

// Sources: Loki's pkg/validation/limits.go, pkg/ingester/ingester.go, docs of limits_config and ingester.
struct LokiLimits {
  static constexpr std::int64_t kSecond = 1'000'000'000;

  // The distributor's, of entries: pkg/distributor/validator.go, ValidateEntry, in this order.
  bool reject_old_samples = true;
  std::int64_t reject_old_samples_max_age = 7 * 24 * 3600 * kSecond;
  std::int64_t creation_grace_period = 600 * kSecond;
  std::size_t max_line_size = 256 << 10;  // 0: none
  bool max_line_size_truncate = false;
  bool allow_structured_metadata = true;
  std::size_t max_structured_metadata_size = 64 << 10;
  std::size_t max_structured_metadata_entries_count = 128;
  // Of streams: ValidateLabels. `service_name` is not counted.
  std::size_t max_label_names_per_series = 15;
  std::size_t max_label_name_length = 1024;
  std::size_t max_label_value_length = 2048;
  bool discover_service_name = true;  // pkg/loghttp/push: a label of its own
  // Of the tenant: golang.org/x/time/rate over all that passed validation, all or nothing.
  double ingestion_rate = 4 << 20;  // bytes per second
  double ingestion_burst = 6 << 20;
  int block_ingestion_status_code =
      0;  // 0: not blocked; 260 is Loki's default, 200 answers as if it had stored
  // The ingester's: pkg/ingester/{instance,stream,limiter}.go.
  std::size_t ingesters = 1;
  std::size_t max_global_streams_per_user = 5000;  // shared out between the ingesters
  bool shard_streams = true;                       // a stream over its rate is refused whole, else by entries
  double per_stream_rate_limit = 3 << 20;
  double per_stream_rate_limit_burst = 15 << 20;
  std::int64_t window = 3600 * kSecond;                 // half of max_chunk_age
  std::int64_t stream_idle = (30 * 60 + 60) * kSecond;  // chunk_idle_period and the flush behind it
  std::size_t max_returned_stream_errors = 10;
  std::size_t chunk_block_size = 256 << 10;  // of the block in which a repetition is known again
};

}  // namespace tideover::test
