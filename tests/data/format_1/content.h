// What the records of this directory hold, for the program that wrote them and for the test that reads them.
#pragma once

#include <string>

#include "wal/record.h"

namespace tideover::wal::format_1 {

inline std::string payload(std::uint64_t i) {
  std::string bytes;
  for (std::uint64_t j = 0; j < 150 + i % 50; ++j) bytes.push_back(static_cast<char>(i * 131 + j * 7));
  return bytes;
}

inline Attributes attributes(std::uint64_t i) {
  Attributes a;
  a.encoding = 1;
  a.flags = static_cast<std::uint16_t>(i % 4);
  a.units = static_cast<std::uint32_t>(i % 7 + 1);
  a.raw_bytes = static_cast<std::uint32_t>(1000 + i);
  a.tallies = {static_cast<std::uint32_t>(i), 2, 3, 4};
  a.arrival_ms = 1'764'000'000'000 + static_cast<std::int64_t>(i);
  a.oldest_ms = a.arrival_ms - 1000;
  a.newest_ms = a.arrival_ms - 1;
  return a;
}

inline NewRecord record(std::uint64_t i) {
  NewRecord record;
  record.bytes = std::string(kEnvelopeBytes, '\0') + payload(i);
  record.attributes = attributes(i);
  return record;
}

}  // namespace tideover::wal::format_1
