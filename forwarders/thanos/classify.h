// What the answers of remote-write receivers mean: Thanos Receive, and Prometheus and others that speak
// the same protocol. Pure; the table for people is docs/DELIVERY.md.
//
// Thanos 0.42 (pkg/receive/handler.go, writer_errors.go): 409 names what it refused, with counts, and has
// stored the rest. Prometheus 3 (storage/remote/write_handler.go): a 400 to 1.0 names the first fault and has
// stored nothing; a 400 to 2.0 has stored what its Written headers say. Others (refusal_words.h) speak for
// themselves: what is not understood is looked for by halving, and is never taken for final in a side lane.
#pragma once

#include "forwarders/destination.h"
#include "forwarders/thanos/versions.h"

namespace tideover::thanos {

forward::Verdict classify(const forward::Sent& sent, const Result<http::Response>& answer,
                          const forward::History& history, const Versions& versions);

}  // namespace tideover::thanos
