#include "forwarders/loki/log_record.h"

#include <string>

#include "forwarders/loki/push_fields.h"
#include "forwarders/remote_write/snappy.h"

namespace tideover::loki {

wal::NewRecord push_record(std::string_view push, const PushFacts& facts, std::int64_t arrival_ms) {
  std::string block;
  remote_write::compress(push, block);
  wal::NewRecord record;
  record.bytes.reserve(wal::kEnvelopeBytes + block.size());
  record.bytes.assign(wal::kEnvelopeBytes, '\0');
  record.bytes += block;
  record.attributes.encoding = static_cast<std::uint16_t>(Encoding::push);
  record.attributes.units = facts.entries;
  record.attributes.raw_bytes = static_cast<std::uint32_t>(push.size());
  record.attributes.arrival_ms = arrival_ms;
  record.attributes.oldest_ms = floor_div(facts.oldest_ns, kNanosPerMilli);
  record.attributes.newest_ms = floor_div(facts.newest_ns, kNanosPerMilli);
  return record;
}

}  // namespace tideover::loki
