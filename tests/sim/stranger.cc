#include "tests/sim/stranger.h"

#include <fmt/format.h>

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kInterval = 3min;

// A block whose length says 4 GiB.
const std::string kHugeBlock("\xff\xff\xff\xff\x0f\x00", 6);
// The field 1, of ten bytes, of which two are there.
const std::string kCutMessage("\x0a\x0a\x0a\x00", 4);

}  // namespace

void Stranger::start() {
  active_ = true;
  clock_.call_at(clock_.now() + std::chrono::duration_cast<Duration>(kInterval * rng_.unit()),
                 [this] { knock(); });
}

void Stranger::knock() {
  if (!active_) return;
  clock_.call_at(clock_.now() + kInterval, [this] { knock(); });
  http::Request request{.method = "POST", .target = "/api/v1/write", .headers = {}, .body = {}};
  int expected = 400;
  switch (rng_.below(4)) {
    case 0: request.body = "this is no block"; break;
    case 1: request.body = test::snappy_block(kCutMessage); break;
    case 2:
      request.body = kHugeBlock;
      expected = 413;
      break;
    case 3: expected = 415; break;
  }
  const char* type = expected == 415    ? "application/json"
                     : rng_.chance(0.5) ? "application/x-protobuf"
                                        : "application/x-protobuf;proto=io.prometheus.write.v2.Request";
  request.headers.add("Content-Encoding", "snappy");
  request.headers.add("Content-Type", type);
  request.headers.add("Content-Length", std::to_string(request.body.size()));
  auto answer = [this, expected](const std::optional<http::Response>& response) {
    // A full agent says so before it looks at a body; what it does not speak it knows from the head.
    const bool full = response && response->status == 503 && expected != 415;
    if (response && response->status != expected && !full)
      oracle_.violation(fmt::format("a stranger was answered {} instead of {}", response->status, expected));
  };
  wire_(std::move(request), std::move(answer));
}

}  // namespace tideover::sim
