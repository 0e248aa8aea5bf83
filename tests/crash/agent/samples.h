// From a sample of account.h to bytes on the wire and back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/source.h"
#include "forwarders/remote_write/remote_write.h"
#include "tests/crash/agent/account.h"

namespace tideover::crash {

class Samples {
 public:
  Samples(std::uint32_t connections, std::int64_t start_ms);

  // A compressed request with a sample for each of the first `series` series.
  std::string request(RequestId id, std::uint32_t series, remote_write::Version version) const;

  struct Received {
    std::uint64_t samples = 0;
    std::map<RequestId, SeriesSet> from;  // which requests they came in, and which series of those
  };
  // Notes everything in a received request in the account; nullopt: the body does not decode.
  std::optional<Received> receive(const std::string& body, remote_write::Version version,
                                  Account& account) const;

 private:
  std::uint64_t value_bits(RequestId id, std::uint32_t series) const;

  const std::int64_t start_ms_;
  bench::Source source_;  // series alone
};

}  // namespace tideover::crash
