// What intake counts about itself. Plain numbers on the io executor; the admin API turns them into text.
#pragma once

#include <array>
#include <cstdint>

#include "wal/base/clock.h"
#include "wal/base/histogram.h"

namespace tideover::ingest {

enum class Protocol : std::uint8_t { rw1, rw2, unknown };
inline constexpr std::size_t kProtocols = 3;

// The answers of docs/INTAKE.md, a closed set.
enum class Answer : std::uint8_t { stored, partly_stored, undecodable, too_large, unsupported, refused };
inline constexpr std::size_t kAnswers = 6;
inline constexpr int status_of(Answer answer) {
  switch (answer) {
    case Answer::stored: return 204;
    case Answer::partly_stored:
    case Answer::undecodable: return 400;
    case Answer::too_large: return 413;
    case Answer::unsupported: return 415;
    case Answer::refused: return 503;
  }
  return 500;
}

// The largest request that was refused lately: a buffer is full for the requests that come, not for a byte. A
// small one that still fits between them changes nothing about that.
class RefusedSize {
 public:
  void note(std::uint64_t bytes, Time now) {
    if (bytes < this->bytes(now)) return;
    bytes_ = bytes;
    at_ = now;
  }
  std::uint64_t bytes(Time now) const { return now - at_ < std::chrono::minutes(1) ? bytes_ : 0; }

 private:
  std::uint64_t bytes_ = 0;
  Time at_{};
};

struct IntakeMetrics {
  std::array<std::array<std::uint64_t, kAnswers>, kProtocols> requests{};  // by Protocol and Answer
  std::uint64_t floats = 0;                                                // stored and synced
  std::uint64_t histograms = 0;
  std::uint64_t exemplars = 0;
  std::uint64_t metadata = 0;
  std::uint64_t faulty_series = 0;  // named in a 400, not stored
  std::uint64_t body_bytes = 0;     // compressed, of stored requests
  std::uint64_t raw_bytes = 0;      // decompressed
  std::int64_t newest_ms = 0;       // newest sample timestamp stored
  RefusedSize refused;
};

}  // namespace tideover::ingest
