// Captured remote_write streams of a real Prometheus; the format stands in tests/data/README.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "forwarders/remote_write/remote_write.h"

namespace tideover::test {

struct CapturedRequest {
  double received_s = 0;  // unix time
  std::string content_type;
  std::string body;  // the message before compression
};

// tests/data/prometheus-rw1.capture.zst or -rw2. At most `requests_max` of it, from the start.
std::vector<CapturedRequest> read_capture(remote_write::Version version, std::size_t requests_max = SIZE_MAX);
std::vector<CapturedRequest> read_capture(const std::filesystem::path& file, std::size_t requests_max);

}  // namespace tideover::test
