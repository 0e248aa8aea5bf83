// positions.yaml: how far Promtail, and Alloy after it, have read each file.
//
//   positions:
//     /var/log/syslog: "17623"
//     ? /var/log/pods/…a path of more than 128 bytes…
//     : "5"
//     ? path: /var/log/app.log
//       labels: '{job="app"}'
//     : "12"
//
// The last form is Alloy's. Strict as Promtail is (grafana/loki, clients/pkg/promtail/positions): unknown
// keys and keys that come twice make the file unreadable, since half of it would mean to send the other half
// again. An entry that says nothing of use is named and left out. Pure, and bounded whatever the text holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wal/base/result.h"

namespace tideover::promtail {

inline constexpr std::size_t kPositionsBytesMax = 8 << 20;  // some 50,000 pods' files
inline constexpr std::size_t kPositionsMax = 100'000;

struct FilePosition {
  std::string path;
  std::string labels;         // Alloy's, "{}" for what it has from Promtail; empty in Promtail's file
  std::uint64_t offset = 0;   // bytes of the file
  bool counts_lines = false;  // of a compressed file: `offset` is lines of what is in it
};

struct Positions {
  std::vector<FilePosition> files;    // in the order of the file
  std::vector<std::string> cursors;   // keys of what is no file: the journal, docker, cloudflare
  std::vector<std::string> unusable;  // sentences, "line 7: ..."; the first hundred
  std::uint64_t unusable_count = 0;
};

// Errors: bad_input, with the line where there is one.
Result<Positions> parse_positions(std::string_view text);

}  // namespace tideover::promtail
