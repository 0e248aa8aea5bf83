// What a push says of itself before its body: how to read it, and whose it is. Loki's rules and words.
// Pure.
#pragma once

#include <string_view>

#include "agent/ingest/loki/inflate.h"
#include "forwarders/http/message.h"
#include "wal/base/result.h"

namespace tideover::ingest::loki {

struct Body {
  bool json = false;  // otherwise protobuf in a snappy block
  Packing packing = Packing::none;
};

// application/json is JSON, any other type protobuf, none at all is refused; Content-Encoding is absent,
// snappy (which says nothing: JSON that claims it is plain), gzip or deflate.
// Errors: bad_input, with the sentence for the 400 answer.
Result<Body> body_of(const http::Headers& headers);

// X-Scope-OrgID; empty when it is absent or empty. At most 150 letters, digits and !-_.*'(), neither "." nor
// "..". Errors: bad_input, with the sentence for the 400 answer.
Result<std::string_view> tenant_of(const http::Headers& headers);

}  // namespace tideover::ingest::loki
