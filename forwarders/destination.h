// A receiver as the sender sees it: how records become requests, and what its answers mean.
//
// Pure: no I/O, no clock, no memory between calls. What must be remembered (attempts, doubt, what was learned
// of the receiver), and the time, comes in as an argument, so that the sender owns all state and a test can
// put any in place. Executor: io. Calls take CPU time in proportion to the batch, and do not block.
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "forwarders/http/message.h"
#include "forwarders/part.h"
#include "forwarders/verdict.h"
#include "wal/base/clock.h"
#include "wal/base/result.h"
#include "wal/record.h"

namespace tideover::forward {

// How much one request takes when several records wait; a lone record may be larger.
struct RequestLimits {
  std::uint64_t units = 10'000;
  std::uint64_t raw_bytes = 3 << 20;
};

// What a destination has learned of its receiver, in terms of its own: only the destination looks into it.
// One for all lanes of a sender, kept for as long as that lives. Empty: nothing yet.
using Memory = std::any;

// What a request carried, for classify().
struct Sent {
  std::uint64_t units = 0;  // what the ledger counts
  std::any note;            // what else the destination wants to know when the answer is there
};

struct Outgoing {
  http::Request request;
  Sent sent;
  SideCounts beside;  // once it is delivered
};

// What classify() must know beside the answer.
struct History {
  bool in_doubt = false;  // an earlier attempt may have stored the part, or some of it
  bool divisible = true;  // it has more than one item: a refusal may not speak of all of it
  bool side = false;      // it comes from a side lane: words that are not understood are never final there
  // Newer items may have been stored before it: a refusal for its order does not say that it had arrived.
  bool overtaken = false;
};

// One batch, ready to be sent whole or in parts.
class Load {
 public:
  virtual ~Load() = default;

  virtual std::uint64_t units() const = 0;  // of the whole
  virtual std::size_t items() = 0;          // decodes at the first call; at least 1
  // Where the part must be cut before it is sent, by what is known of the receiver at this moment: the ends
  // of its pieces, ascending, the last one its own. Empty: it may go as it is. May put the items of a batch
  // of which nothing was sent yet into another order.
  virtual std::vector<std::size_t> borders(Part, const Memory&, Time /*now*/) { return {}; }
  virtual std::uint64_t units(Part part) = 0;
  // `retry`: 0 for the first attempt. Errors: bad_input, when the part cannot be made into a request;
  // too_large, when the request would take too much memory; a smaller one may do.
  virtual Result<Outgoing> encode(Part part, std::uint32_t retry, const Memory& memory) = 0;
  // The part as self-contained records, in the encoding in which they came: for another lane of the queue.
  virtual std::vector<wal::NewRecord> carve(Part part) = 0;
  virtual std::string describe(Part part) = 0;  // names its first item; for people
};

class Destination {
 public:
  virtual ~Destination() = default;

  // Whether what is refused for now is kept in a lane of its own while newer data flows past it. One that
  // says no has no such lane: what it would hold waits where it is, and everything behind it, until the
  // receiver takes it or says in words that are known that it never will. The same for as long as the
  // destination exists.
  virtual bool parks() const = 0;
  // Whether what is answered 5xx again and again is set aside while newer data flows past it. One that says
  // no waits with it: its receiver refuses for good what was overtaken. The same for as long as it exists.
  virtual bool quarantines() const { return true; }

  // How many of `records`, from the first, go into one request; at least one.
  virtual std::size_t plan(std::span<const wal::StoredRecord> records, const RequestLimits& limits) const = 0;
  virtual std::unique_ptr<Load> load(std::vector<wal::StoredRecord> records) const = 0;
  virtual Verdict classify(const Sent& sent, const Result<http::Response>& answer, const History& history,
                           const Memory& memory) const = 0;
  // What the verdict on a request says of the receiver: known to all that is encoded and judged later.
  virtual void learn(const Sent&, const Verdict&, Memory&, Time /*now*/) const {}
};

}  // namespace tideover::forward
