// The model of Loki behind HTTP: its push endpoint, and what tests ask and tell it at run time. Pure: a
// request and the time in, an answer out.
//
//   POST /loki/api/v1/push   protobuf in snappy (whatever type is not JSON), JSON; gzip around either
//   GET  /model/lines        what is stored, in order: one JSON object a line {tenant, labels, ts, metadata,
//   line},
//                            the line in base64, `metadata` as pairs
//   GET  /model/discarded    {"answered": {reason: entries}, "silent": {...}, "duplicates": n}
//   POST /model/mode         {"ingestion_rate": 1000, "down": true, ...}: limits by Loki's names, and the
//   faults
//                            below; what is not named stays. 400 names a key that does not exist.
//   POST /model/restart      ingesters forget their streams
//
// Sources: Loki's pkg/loghttp/push/push.go (types and encodings), and a real one (main of August 2026).
#pragma once

#include <cstdint>
#include <string>

#include "forwarders/http/message.h"
#include "tests/support/loki_model.h"

namespace tideover::test {

struct LokiFaults {
  bool down = false;                 // 503, nothing stored
  bool fails_after_storing = false;  // 500 although it stored
  std::int64_t delay_ms = 0;         // for the server around it
};

class LokiSurface {
 public:
  http::Response answer(const http::Request& request, std::int64_t now_ns);

  LokiModel& model() { return model_; }
  const LokiFaults& faults() const { return faults_; }

 private:
  http::Response push(const http::Request& request, std::int64_t now_ns);
  http::Response set_mode(const std::string& body);
  http::Response lines() const;
  http::Response discarded() const;

  LokiModel model_;
  LokiFaults faults_;
};

}  // namespace tideover::test
