// The layout of docs/WAL_FORMAT.md: envelope, keys and meta values. Reader and writer share this one header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wal/base/result.h"
#include "wal/record.h"

namespace tideover::wal {

inline constexpr std::uint32_t kFormatVersion = 1;  // of the whole directory; stored under kFormatKey

// Fills the envelope at the front of `record.bytes`: sequence number, totals through it, attributes,
// checksum.
void seal_envelope(NewRecord& record, Seq seq, const Totals& through);

// Checks version, length and checksum (XXH3-64 over everything behind the checksum field).
// `bytes` is kept alive by the returned record. Errors: corrupt.
Result<StoredRecord> open_envelope(std::shared_ptr<const std::string> bytes);

// Of an envelope and its payload, over everything behind the checksum itself.
std::uint64_t envelope_checksum(std::string_view bytes);
// Whether they are what some writer meant, of whatever version: only the checksum is looked at.
bool envelope_checks(std::string_view bytes);

// For finding records in bytes whose structure is lost: where the next thing that looks like an envelope
// begins, at or after `from`, and how long it says it is (envelope and payload). Only open_envelope() tells
// whether it is one.
std::size_t find_envelope(std::string_view bytes, std::size_t from);  // npos: none
std::size_t envelope_extent(std::string_view at);                     // 0: not an envelope, or not all of it

// Record keys sort by lane, then by sequence number: both big-endian.
inline constexpr std::size_t kRecordKeyBytes = 12;
std::string record_key(LaneId lane, Seq seq);
struct RecordKey {
  LaneId lane;
  Seq seq;
};
std::optional<RecordKey> parse_record_key(std::string_view key);

// Meta keys.
inline constexpr std::string_view kCommitKey =
    "commit";  // decimal number of the last group: was a failed one applied?
inline constexpr std::string_view kFormatKey = "format";  // decimal kFormatVersion
inline constexpr std::string_view kLanePrefix = "lane/";  // + lane name -> LaneState
inline constexpr std::string_view kCursorPrefix =
    "cursor/";  // + lane name + '\0' + cursor name -> CursorState
inline constexpr std::string_view kCheckpointPrefix = "check/";  // + producer's key -> producer's bytes

}  // namespace tideover::wal
