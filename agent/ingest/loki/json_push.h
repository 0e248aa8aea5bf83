// Loki's push request in JSON, rewritten as the protobuf message while it is read.
//
//   {"streams": [{"stream": {"app": "api"}, "values": [["1731000000000000000", "line", {"trace": "1"}]]}]}
//
// In pieces, so that what a few bytes inflate to is never held: memory is the message, one line and the
// labels of one stream. As Loki reads it: keys in any order, unknown ones passed over, timestamps are strings
// of nanoseconds (numbers are refused), of labels named twice the last one counts. Lines may be any bytes. An
// escaped half of a surrogate pair is refused, which Loki takes for U+FFFD; so is an entry without a line.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::ingest::loki {

class JsonPush {
 public:
  JsonPush();
  ~JsonPush();

  // Errors: bad_input, with a sentence for the 400 answer; the reader is of no use then.
  Result<> read(std::string_view piece);
  // The message, once all was read. Labels are written so that they parse; whether names are names is for
  // whoever parses them. Errors: as read().
  Result<std::string> finish();

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace tideover::ingest::loki
