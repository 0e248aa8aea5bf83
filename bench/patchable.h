// A compressed write request whose timestamps (and the value of the churn label) can be rewritten in place,
// so that the generator neither encodes nor compresses while it measures.
//
// Snappy's output is literals and copies of earlier output. Equal timestamps within a request mostly are
// copies of the first one's literal bytes: whoever changes those literals changes them all. Which literal
// each byte of output comes from is found out once, when the request is made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/encode.h"
#include "wal/base/result.h"

namespace tideover::bench {

class PatchableRequest {
 public:
  // Errors: bad_input when no way to compress it keeps what is open apart from everything else.
  static Result<PatchableRequest> make(OpenMessage message);

  // Gives every sample the timestamp `base_ms` + its tick (one tick is one millisecond), and every churning
  // series the name that it has in this repetition of the stream.
  void stamp(std::int64_t base_ms, std::uint32_t repetition);

  const std::string& body() const { return body_; }

 private:
  struct Patch {
    std::uint32_t offset;   // into body_
    std::uint16_t filling;  // index into ticks_
    std::uint8_t byte;      // of the filling
  };
  std::string body_;
  std::vector<std::uint32_t> ticks_;  // the different ones, kRepetition among them
  std::vector<Patch> patches_;
};

}  // namespace tideover::bench
