// Counts the samples of received write requests; on demand also checks that every series moves forward in
// time and sums up what came (digest.h). Independent of the agent's scanner, except for the reader of
// protobuf's varints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "forwarders/remote_write/remote_write.h"

namespace tideover::bench {

class Tally {
 public:
  explicit Tally(bool verify) : verify_(verify) {}

  // False when the body does not decode; then nothing of it counts.
  bool add(std::string_view compressed, remote_write::Version version);

  std::uint64_t samples() const { return samples_; }
  std::uint64_t order_faults() const { return order_faults_; }  // samples not newer than their series' last
  std::uint64_t digest() const { return digest_; }

 private:
  struct Series;
  bool add_series(std::string_view message, remote_write::Version version);
  bool read_series(std::string_view message, remote_write::Version version, Series& series);
  void check(const Series& series);

  const bool verify_;
  std::string raw_;
  std::vector<std::string_view> symbols_;                      // of the request at hand, 2.0 only
  std::unordered_map<std::uint64_t, std::int64_t> newest_ms_;  // by series hash
  std::uint64_t samples_ = 0;
  std::uint64_t order_faults_ = 0;
  std::uint64_t digest_ = 0;
};

}  // namespace tideover::bench
