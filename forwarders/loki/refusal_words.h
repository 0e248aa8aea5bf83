// What the text of a refusal says about a push. Pure.
//
// Loki refuses in two places, each in words of its own (pkg/validation/validate.go, pkg/ingester/stream.go).
// Its distributor looks at every entry, drops the bad ones and names each, equal sentences counted together:
// "2 errors like: entry for stream '{...}' has timestamp too old: ...; 1 errors like: ...". Its ingester then
// speaks of one stream, lists ten of the entries that it ignored, and counts all of them; what the
// distributor refused of the same push is then not said at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "forwarders/loki/stream_name.h"

namespace tideover::loki {

enum class Cause : std::uint8_t {
  unknown,
  // of an entry, by the distributor
  too_old,         // reject_old_samples_max_age
  too_new,         // creation_grace_period
  line_size,       // max_line_size
  metadata_size,   // max_structured_metadata_size
  metadata_count,  // max_structured_metadata_entries_count
  metadata_off,    // allow_structured_metadata
  // of a stream, by the distributor
  labels,           // too many, too long, repeated or none
  required_labels,  // enforced_labels
  unparsable,       // the whole push is refused for it
  // of an entry, by an ingester
  behind,       // too far behind its stream's newest, or behind it at all where order is asked for
  stream_rate,  // per_stream_rate_limit
};

// One sentence of the distributor.
struct Clause {
  Cause cause = Cause::unknown;
  std::uint64_t times = 1;
  std::optional<StreamName> stream;
  std::optional<std::int64_t> ns;     // too_old, too_new: of the entry, in whole seconds
  std::optional<std::uint64_t> size;  // line_size, metadata_size: bytes; metadata_count: pairs
  std::string_view text;
};
std::vector<Clause> clauses_of(std::string_view text);  // at least one

// What an ingester says of one stream.
struct StreamRefusal {
  struct Entry {
    Cause cause = Cause::unknown;
    std::int64_t ns = 0;
  };
  std::vector<Entry> listed;
  std::uint64_t ignored = 0;
  std::uint64_t total = 0;  // that reached the ingester, of this stream
  std::optional<StreamName> stream;
  std::uint64_t rate_limit = 0;  // stream_rate: bytes per second; 0: not said

  // The cause of all that is listed; unknown when they differ.
  Cause cause() const;
};
std::optional<StreamRefusal> stream_refusal_of(std::string_view text);

// "maximum active stream limit exceeded when trying to create stream {...}". Set when the words are there.
struct StreamLimit {
  std::optional<StreamName> stream;
};
std::optional<StreamLimit> stream_limit_of(std::string_view text);

// "ingestion rate limit exceeded for user t1 (limit: 10485 bytes/sec) while attempting to ingest '1' lines
// totaling '30000' bytes": nothing of the push is stored.
struct TenantRate {
  std::uint64_t limit = 0;  // bytes per second
  std::uint64_t bytes = 0;  // of the push
};
std::optional<TenantRate> tenant_rate_of(std::string_view text);

// The tenant is missing, or is none: a fault of the configuration, not of the data.
bool speaks_of_tenant(std::string_view text);
// "request body too large", or gRPC's "received message larger than max" between Loki's own parts, which
// arrives as a 500.
bool speaks_of_size(std::string_view text);

}  // namespace tideover::loki
