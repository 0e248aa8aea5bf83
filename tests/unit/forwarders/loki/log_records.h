// Records of lines, as intake makes them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "forwarders/loki/log_record.h"
#include "forwarders/remote_write/snappy.h"
#include "tests/support/loki_push.h"
#include "wal/record.h"

namespace tideover::test {

inline wal::NewRecord new_record_of(const LokiPush& push) {
  const std::string raw = protobuf_of(push);
  std::string body;
  remote_write::compress(raw, body);
  wal::NewRecord record;
  record.attributes.encoding = static_cast<std::uint16_t>(loki::Encoding::push);
  record.attributes.raw_bytes = static_cast<std::uint32_t>(raw.size());
  for (const LokiStream& stream : push)
    record.attributes.units += static_cast<std::uint32_t>(stream.entries.size());
  record.bytes = std::string(wal::kEnvelopeBytes, '\0') + body;
  return record;
}

inline wal::StoredRecord stored_record_of(const LokiPush& push) {
  wal::NewRecord made = new_record_of(push);
  wal::StoredRecord record;
  record.seq = Seq{1};
  record.attributes = made.attributes;
  record.bytes = std::make_shared<const std::string>(std::move(made.bytes));
  return record;
}

}  // namespace tideover::test
