// Which message a request carries, decided from its head alone.
#pragma once

#include <string>

#include "forwarders/http/message.h"
#include "forwarders/remote_write/remote_write.h"
#include "wal/base/result.h"

namespace tideover::ingest {

// As Prometheus' receiver: no Content-Type means 1.0, no Content-Encoding means snappy, parameters other than
// `proto` are ignored. Errors: bad_input, with the sentence for the 415 answer.
Result<remote_write::Version> negotiate(const http::Headers& headers);

}  // namespace tideover::ingest
