#include <algorithm>
#include <vector>

#include "forwarders/remote_write/merge_v2.h"
#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/snappy.h"
#include "forwarders/remote_write/wire.h"

namespace tideover::remote_write {
namespace {

using Records = std::span<const wal::StoredRecord>;

Encoded accounted(Records records) {
  Encoded encoded;
  bool timed = false;
  for (const wal::StoredRecord& record : records) {
    const wal::Attributes& attributes = record.attributes;
    encoded.counts.floats += attributes.tallies[kFloats];
    encoded.counts.histograms += attributes.tallies[kHistograms];
    encoded.counts.exemplars += attributes.tallies[kExemplars];
    encoded.counts.metadata += attributes.tallies[kMetadata];
    encoded.units += attributes.units;
    if (attributes.units == 0) continue;  // its timestamps mean nothing
    encoded.oldest_ms = timed ? std::min(encoded.oldest_ms, attributes.oldest_ms) : attributes.oldest_ms;
    encoded.newest_ms = timed ? std::max(encoded.newest_ms, attributes.newest_ms) : attributes.newest_ms;
    timed = true;
  }
  return encoded;
}

// A length of its own in front of the rows of elements of all blocks.
Result<std::string> concatenate_blocks(Records records) {
  std::uint64_t declared = 0;
  std::size_t bytes = 0;
  std::vector<std::string_view> rows;
  for (const wal::StoredRecord& record : records) {
    wire::Reader reader(record.payload());
    std::uint64_t size = 0;
    if (!reader.varint(size)) return fail(Errc::bad_input, "a stored record is no snappy block");
    declared += size;
    rows.push_back(record.payload().substr(static_cast<std::size_t>(reader.at() - record.payload().data())));
    bytes += rows.back().size();
  }
  if (declared > UINT32_MAX) return fail(Errc::too_large, "a snappy block holds at most 4 GiB");
  std::string block;
  block.reserve(bytes + 5);
  wire::put_varint(block, declared);
  for (const std::string_view row : rows) block += row;
  return block;
}

Result<std::string> unite_messages(Records records) {
  std::vector<std::string> raws(records.size());
  v2::Merger merger;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Result<> plain = decompress(records[i].payload(), kDecodedBytesMax, raws[i]);
    if (!plain) return plain.error();
    if (!merger.add(raws[i]))
      return fail(Errc::bad_input, "a stored record is no message of Remote Write 2.0");
  }
  std::string block;
  OutBuffer message;
  merger.write(message);
  compress(message.view(), block);
  return block;
}

}  // namespace

bool passes_through(Records records, Version version, const ExternalLabels& labels) {
  return labels.empty() &&
         std::all_of(records.begin(), records.end(), [version](const wal::StoredRecord& record) {
           return record.attributes.encoding == static_cast<std::uint16_t>(version) &&
                  (record.attributes.flags & kSorted) != 0;
         });
}

std::size_t mergeable(Records records, std::uint64_t units_max, std::uint64_t raw_bytes_max) {
  if (records.empty()) return 0;
  std::uint64_t units = 0;
  std::uint64_t raw_bytes = 0;
  std::size_t count = 0;
  bool stale_markers = false;
  for (const wal::StoredRecord& record : records) {
    if (stale_markers && record.attributes.tallies[kHistograms] > 0) break;
    stale_markers = stale_markers || (record.attributes.flags & kStaleMarkers) != 0;
    units += record.attributes.units;
    raw_bytes += record.attributes.raw_bytes;
    if (record.attributes.encoding != records[0].attributes.encoding) break;
    if (count > 0 && (units > units_max || raw_bytes > raw_bytes_max)) break;
    ++count;
  }
  return count;
}

Result<Encoded> merge(Records records) {
  Encoded encoded = accounted(records);
  if (records.size() == 1) {
    encoded.body = records[0].payload();
    return encoded;
  }
  const bool v1 =
      records.empty() || records[0].attributes.encoding == static_cast<std::uint16_t>(Version::v1);
  Result<std::string> body = v1 ? concatenate_blocks(records) : unite_messages(records);
  if (!body) return body.error();
  encoded.body = std::move(*body);
  return encoded;
}

}  // namespace tideover::remote_write
