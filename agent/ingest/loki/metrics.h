// What the intake of logs counts about itself. Plain numbers on the io executor.
#pragma once

#include <array>
#include <cstdint>

#include "agent/ingest/loki/limits.h"
#include "agent/ingest/metrics.h"

namespace tideover::ingest::loki {

enum class Format : std::uint8_t { protobuf, json, unknown };
inline constexpr std::size_t kFormats = 3;

// The answers of docs/INTAKE.md, a closed set.
enum class PushAnswer : std::uint8_t { stored, partly_stored, undecodable, no_streams, too_large, refused };
inline constexpr std::size_t kPushAnswers = 6;
inline constexpr int status_of(PushAnswer answer) {
  switch (answer) {
    case PushAnswer::stored: return 204;
    case PushAnswer::partly_stored:
    case PushAnswer::undecodable: return 400;
    case PushAnswer::no_streams: return 422;
    case PushAnswer::too_large: return 413;
    case PushAnswer::refused: return 503;
  }
  return 500;
}

struct PushMetrics {
  std::array<std::array<std::uint64_t, kPushAnswers>, kFormats> requests{};  // by Format and PushAnswer
  std::uint64_t lines = 0;                                                   // stored and synced
  std::array<std::uint64_t, kWhys> refused_lines{};  // named in a 400, not stored; by Why
  std::uint64_t body_bytes = 0;                      // as received, of requests of which something was stored
  std::uint64_t raw_bytes = 0;                       // of the push requests in stored records
  std::uint64_t record_bytes = 0;                    // of those, compressed
  std::int64_t newest_ms = 0;                        // newest timestamp stored
  RefusedSize refused;
};

}  // namespace tideover::ingest::loki
