// What the distributor of the model of Loki refuses of a push, in Loki's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/loki_limits.h"
#include "tests/support/loki_push.h"

namespace tideover::test {

struct LokiComplaint {
  std::string_view reason;
  std::string text;
};

// pkg/distributor/validator.go, ValidateLabels: of a whole stream. `labels` are sorted.
std::optional<LokiComplaint> loki_refuses_labels(const LokiPairs& labels, const LokiLimits& limits);
// The same, ValidateEntry: the first thing that is wrong with it.
std::optional<LokiComplaint> loki_refuses_entry(const LokiEntry& entry, const std::string& labels,
                                                const LokiLimits& limits, std::int64_t now_ns);
// pkg/util/errors.go, GroupedErrors: "2 errors like: ...; 1 errors like: ...".
std::string loki_grouped(const std::vector<std::string>& complaints);

}  // namespace tideover::test
