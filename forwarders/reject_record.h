// A dead letter: what a receiver refused for good, with its reason, self-contained, for people and for
// replay.
//
//   one line of JSON, '\n', the refused message as it came (a snappy block)
//   {"v":1,"reason":"out_of_order","destination":"thanos","refused_ms":1700000000000,"encoding":1,"units":1,
//    "item":"{__name__=\"up\"}","sentence":"HTTP 409: ..."}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wal/base/result.h"
#include "wal/ledger.h"
#include "wal/record.h"

namespace tideover::forward {

// Attributes::encoding of a dead letter.
inline constexpr std::uint16_t kRejectEncoding = 0x8000;

struct RejectNote {
  std::string reason;  // wal::to_string(Reason)
  std::string destination;
  std::int64_t refused_ms = 0;  // unix time
  std::uint16_t encoding = 0;   // of the refused message
  std::uint64_t units =
      0;                 // in the message; a receiver that does not say which it refused may have kept some
  std::string item;      // the first of them, as text
  std::string sentence;  // the receiver's
};

wal::NewRecord reject_record(const RejectNote& note, const wal::NewRecord& refused);

struct RejectView {
  RejectNote note;
  std::string_view message;  // into the payload
};
// Errors: bad_input.
Result<RejectView> read_reject(std::string_view payload);

}  // namespace tideover::forward
