// What a receiver does not take, for now or for good, in its own words: for the log.
#pragma once

#include <cstdint>
#include <string>

#include "forwarders/sender_steps.h"
#include "wal/ledger.h"

namespace tideover::forward {

struct Refusal {
  Fate fate = Fate::rejected;  // or parked or quarantined, for the first time
  wal::Reason reason = wal::Reason::bad_request;
  std::uint64_t units = 0;
  std::string sentence;  // as in a verdict
};

}  // namespace tideover::forward
