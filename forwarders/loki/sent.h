// What a push carried, for whoever judges its answer.
#pragma once

#include <any>
#include <cstdint>
#include <memory>
#include <vector>

#include "forwarders/destination.h"
#include "forwarders/loki/batch.h"

namespace tideover::loki {

// The note of forward::Sent. Keeps the batch alive.
struct SentPush {
  std::shared_ptr<const Batch> batch;
  std::vector<StreamPart> streams;  // in the order in which they were sent
  std::uint32_t retries = 0;        // earlier attempts of the same bytes
};

// Nothing is known of what has no such note.
inline const SentPush& push_of(const forward::Sent& sent) {
  static const SentPush kNothingKnown;
  const auto* push = std::any_cast<SentPush>(&sent.note);
  return push == nullptr ? kNothingKnown : *push;
}

}  // namespace tideover::loki
