// Records of lines, made of what generated protobuf code writes.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "forwarders/loki/log_record.h"
#include "tests/support/loki_push.h"
#include "wal/record.h"

namespace tideover::test {

inline wal::NewRecord new_record_of(const LokiPush& push, std::int64_t arrival_ms = 0) {
  loki::PushFacts facts;
  for (const LokiStream& stream : push)
    for (const LokiEntry& entry : stream.entries) {
      facts.oldest_ns = facts.entries == 0 ? entry.ns : std::min(facts.oldest_ns, entry.ns);
      facts.newest_ns = facts.entries++ == 0 ? entry.ns : std::max(facts.newest_ns, entry.ns);
    }
  return loki::push_record(written_by_generated_code(push), facts, arrival_ms);
}

inline wal::StoredRecord stored_record_of(const LokiPush& push, std::int64_t arrival_ms = 0) {
  wal::NewRecord made = new_record_of(push, arrival_ms);
  wal::StoredRecord record;
  record.seq = Seq{1};
  record.attributes = made.attributes;
  record.bytes = std::make_shared<const std::string>(std::move(made.bytes));
  return record;
}

}  // namespace tideover::test
