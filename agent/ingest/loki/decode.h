// A body becomes a push request's message, whatever it was sent as.
// Pure; what it holds at most is kDecodedBytesMax of each of its forms.
#pragma once

#include <string>
#include <string_view>

#include "agent/ingest/loki/head.h"
#include "wal/base/result.h"

namespace tideover::ingest::loki {

// Errors: bad_input; too_large; both with the sentence for the answer.
Result<std::string> decode(std::string_view bytes, const Body& body);

}  // namespace tideover::ingest::loki
