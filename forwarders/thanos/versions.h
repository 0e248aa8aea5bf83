// What is known of the versions of Remote Write that a receiver speaks. This is what a ThanosDestination
// remembers of it, and what it notes of a request is the version in which that went.
#pragma once

#include <any>

#include "forwarders/destination.h"
#include "forwarders/remote_write/remote_write.h"
#include "wal/base/invariant.h"

namespace tideover::thanos {

struct Versions {
  bool takes_v2 = false;  // it has taken a request of 2.0
  bool only_v1 = false;   // it has shown that it does not speak 2.0
};

inline Versions versions_of(const forward::Memory& memory) {
  const auto* known = std::any_cast<Versions>(&memory);
  return known == nullptr ? Versions() : *known;
}

inline remote_write::Version version_of(const forward::Sent& sent) {
  const auto* version = std::any_cast<remote_write::Version>(&sent.note);
  invariant(version != nullptr, "a request that this destination made has its version as a note");
  return *version;
}

}  // namespace tideover::thanos
