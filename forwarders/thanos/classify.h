// What the answers of remote-write receivers mean: Thanos Receive, and Prometheus and others that speak
// the same protocol. Pure; the table for people is docs/DELIVERY.md.
//
// Thanos 0.42 (pkg/receive/handler.go, writer_errors.go): 409 names what it refused, with counts, and has
// stored the rest. Prometheus 3 (storage/remote/write_handler.go): a 400 to 1.0 names the first fault and has
// stored nothing; a 400 to 2.0 has stored what its Written headers say.
#pragma once

#include <cstdint>
#include <string_view>

#include "forwarders/destination.h"

namespace tideover::thanos {

forward::Verdict classify(const forward::Sent& sent, const Result<http::Response>& answer,
                          const forward::History& history);

// What the text of a refusal names, in units where it counts ("add 3 samples: out of bounds"), otherwise by
// mention ("out of bounds for series {...}", one line per sample).
struct Refusals {
  std::uint64_t out_of_order = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t window = 0;  // out of bounds, too old sample
  std::uint64_t labels = 0;  // series with labels that are not sorted, repeated or empty
  std::uint64_t exemplars = 0;
  bool counted = false;

  std::uint64_t samples() const { return out_of_order + duplicate + window + labels; }
};
Refusals refusals_of(std::string_view text);

}  // namespace tideover::thanos
