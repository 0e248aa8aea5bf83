// The port through which senders reach mgmt: BeastTransport in production, SimTransport in the simulator.
//
// Executor: io. One transport serves one destination and owns its connections.
#pragma once

#include <cstddef>

#include "forwarders/http/message.h"
#include "wal/base/clock.h"
#include "wal/base/result.h"

namespace tideover::http {

// Of the body of an answer, as much is read: a sentence, or a short list of them.
inline constexpr std::size_t kAnswerBytesMax = 64 << 10;

class Transport {
 public:
  virtual ~Transport() = default;

  // Sends one request and reads the whole answer before `deadline`; redirects are not followed.
  // `request.target` is a path. A pooled connection that turns out closed before any byte of the answer came
  // is NOT retried here: the caller must know that the peer may have acted. Errors, which tell the sender
  // whether the peer can have acted:
  //   connect_failed           it cannot: no connection, name, or TLS session came about
  //   timeout, connection_lost it may have
  //   too_large, bad_input     it has, and its answer is no use
  //   stopping                 close() was called
  virtual awaitable<Result<Response>> send(Request request, Time deadline) = 0;

  // Ends what is under way with `stopping` and drops all connections.
  virtual void close() = 0;
};

}  // namespace tideover::http
