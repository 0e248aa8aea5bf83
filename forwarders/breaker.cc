#include "forwarders/breaker.h"

namespace tideover::forward {

void Breaker::succeeded() {
  backoff_.reset();
  failures_ = 0;
  next_attempt_ = {};
}

void Breaker::failed(Time now, std::optional<Duration> asked) {
  if (failures_++ == 0) failing_since_ = now;
  next_attempt_ = now + backoff_.next(asked);
}

}  // namespace tideover::forward
