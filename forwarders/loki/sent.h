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

inline const SentPush& push_of(const forward::Sent& sent) {
  return std::any_cast<const SentPush&>(sent.note);
}

}  // namespace tideover::loki
