// What the answers of Loki, and of those who speak its push API, mean. Pure; the table for people is
// docs/DELIVERY.md.
//
// 204 alone is success, and proves only what could not be refused in silence (standing.h). A 400 is partial:
// the distributor names every entry that it refuses and stores the rest, unless ingestion is blocked: then it
// throws away what it does not name, and does not say so (pkg/distributor/distributor.go: a validation error
// takes precedence). An ingester speaks of one stream (refusal_words.h), and hides what else was refused. So
// only what is said of a push of one stream is taken for all that there is to say: everything else is sent
// again, which Loki recognises.
//
// One verdict speaks of one reason. Where an answer has several, the entries of one of them are named and the
// others sent again, to be named in turn.
#pragma once

#include "forwarders/destination.h"

namespace tideover::loki {

// A tenant's rate refuses what is larger than its burst for ever, and says the same to what only comes too
// soon: after some attempts (SentPush::retries) it is the size.
forward::Verdict classify(const forward::Sent& sent, const Result<http::Response>& answer,
                          const forward::History& history);

}  // namespace tideover::loki
