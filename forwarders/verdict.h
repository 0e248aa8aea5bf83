// What an answer means: a closed set, decided by one pure function per destination, performed
// by the sender. Switched without `default`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forwarders/part.h"
#include "wal/base/clock.h"
#include "wal/ledger.h"

namespace tideover::forward {

enum class Action : std::uint8_t {
  advance,    // the part is settled; `losses` of it were refused for good
  retry,      // the receiver cannot take it now: back off and send the same bytes again
  park,       // the receiver's time window refuses it for now: keep, go on, probe later
  bisect,     // something in it is bad: find it by halving
  halve,      // too large: send in halves and remember the size that works
  downgrade,  // the receiver does not speak this version: encode again in the other one
  pause,      // a configuration fault: keep everything, probe slowly, alarm
};

struct Loss {
  wal::Reason reason;
  std::uint64_t units;
  bool operator==(const Loss&) const = default;
};

// What the ledger counts beside the fate of units, as far as a destination knows of such things.
struct SideCounts {
  std::uint64_t under_reported = 0;  // units the receiver did not say it wrote
  std::uint64_t stripped = 0;        // what the form of the request could not carry of them
};

struct Verdict {
  Action action = Action::retry;
  wal::Reason reason =
      wal::Reason::bad_request;  // of a park, bisect, halve: should the part come to be rejected
  // park, bisect: the items that are refused, counted from the first one of the part that was sent; empty:
  // not known. They are parked by a park, rejected by a bisect in words that are understood, and otherwise
  // kept as what nobody understands; the others are stored when `rest_stored`, and sent again when not.
  std::vector<Part> named;
  std::vector<Loss> losses;  // advance: units refused, by reason; never more than the part holds
  bool understood = false;   // bisect: the words speak of a fault in the data, and are known
  bool rest_stored = false;  // park, bisect: what was not refused is stored already
  // advance, or of what is named: refused only because an earlier attempt had arrived
  bool probable_duplicate = false;
  SideCounts beside;                    // advance
  std::optional<Duration> retry_after;  // retry: what the receiver asked for
  std::string sentence;                 // for logs and the reject store; see sentence_of()
};

}  // namespace tideover::forward
