// When the receiver fails or is slow during a run.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "wal/base/result.h"

namespace tideover::bench {

struct SinkSetting {
  bool refuses = false;  // connections, and cuts those that it has
  int status = 204;
  int delay_ms = 0;  // before each answer

  bool takes_data() const { return !refuses && status / 100 == 2; }
  bool operator==(const SinkSetting&) const = default;
};

// From `from` on, counted from the start of the load, until `until`; or as long as the load lasts.
struct SinkPhase {
  std::chrono::seconds from{0};
  std::optional<std::chrono::seconds> until;
  SinkSetting setting;
};

// "off", "503", "slow=250" (milliseconds), each alone or with ":FROM..UNTIL" or ":FROM.." (seconds).
// Errors: bad_input.
Result<SinkPhase> parse_sink_phase(const std::string& text);

// The first phase that covers the moment decides; none: it takes everything at once.
SinkSetting setting_at(const std::vector<SinkPhase>& phases, std::chrono::steady_clock::duration since_start,
                       bool loading);

}  // namespace tideover::bench
