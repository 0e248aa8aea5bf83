#include "wal/wal_format.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "wal/base/invariant.h"
#include "wal/base/little_endian.h"

namespace tideover::wal {
namespace {

// Offsets into the envelope; docs/WAL_FORMAT.md section 2.
enum Offset : std::size_t {
  kChecksum = 0,  // u64 XXH3-64 of everything behind it
  kVersion = 8,   // u8
  kKind = 9,      // u8
  kLength = 10,   // u16 bytes of the envelope
  kPayload = 12,  // u32 bytes of the payload
  kSeq = 16,      // u64
  kRecords = 24,  // u64 totals through this record
  kUnits = 32,
  kBytes = 40,
  kArrival = 48,  // i64 unix ms
  kOldest = 56,
  kNewest = 64,
  kEncoding = 72,   // u16
  kFlags = 74,      // u16
  kOwnUnits = 76,   // u32
  kRawBytes = 80,   // u32
  kTallies = 84,    // 4 x u32
  kReserved = 100,  // u32, 0
};
static_assert(kReserved + 4 == kEnvelopeBytes);

constexpr std::uint8_t kEnvelopeVersion = 1;
constexpr std::uint8_t kRecordKind = 0;  // 1 is kept for packs

}  // namespace

std::uint64_t envelope_checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data() + kVersion, bytes.size() - kVersion);
}

void seal_envelope(NewRecord& record, Seq seq, const Totals& through) {
  invariant(record.bytes.size() >= kEnvelopeBytes, "a record has room for its envelope");
  const Attributes& a = record.attributes;
  char* at = record.bytes.data();
  store_le<std::uint8_t>(at + kVersion, kEnvelopeVersion);
  store_le<std::uint8_t>(at + kKind, kRecordKind);
  store_le<std::uint16_t>(at + kLength, kEnvelopeBytes);
  store_le<std::uint32_t>(at + kPayload, static_cast<std::uint32_t>(record.bytes.size() - kEnvelopeBytes));
  store_le<std::uint64_t>(at + kSeq, seq.value);
  store_le<std::uint64_t>(at + kRecords, through.records);
  store_le<std::uint64_t>(at + kUnits, through.units);
  store_le<std::uint64_t>(at + kBytes, through.bytes);
  store_le<std::int64_t>(at + kArrival, a.arrival_ms);
  store_le<std::int64_t>(at + kOldest, a.oldest_ms);
  store_le<std::int64_t>(at + kNewest, a.newest_ms);
  store_le<std::uint16_t>(at + kEncoding, a.encoding);
  store_le<std::uint16_t>(at + kFlags, a.flags);
  store_le<std::uint32_t>(at + kOwnUnits, a.units);
  store_le<std::uint32_t>(at + kRawBytes, a.raw_bytes);
  for (std::size_t i = 0; i < a.tallies.size(); ++i)
    store_le<std::uint32_t>(at + kTallies + 4 * i, a.tallies[i]);
  store_le<std::uint32_t>(at + kReserved, 0);
  store_le<std::uint64_t>(at + kChecksum, envelope_checksum(record.bytes));
}

Result<StoredRecord> open_envelope(std::shared_ptr<const std::string> bytes) {
  const char* at = bytes->data();
  if (bytes->size() < kEnvelopeBytes) return fail(Errc::corrupt, "the record is shorter than its envelope");
  if (load_le<std::uint64_t>(at + kChecksum) != envelope_checksum(*bytes))
    return fail(Errc::corrupt, "the record does not match its checksum");
  // From here on the bytes are what some writer meant.
  if (load_le<std::uint8_t>(at + kVersion) != kEnvelopeVersion ||
      load_le<std::uint8_t>(at + kKind) != kRecordKind ||
      load_le<std::uint16_t>(at + kLength) != kEnvelopeBytes ||
      load_le<std::uint32_t>(at + kPayload) != bytes->size() - kEnvelopeBytes)
    return fail(
        Errc::corrupt,
        fmt::format("the record has an envelope of version {}, kind {}, which this version does not read",
                    load_le<std::uint8_t>(at + kVersion), load_le<std::uint8_t>(at + kKind)));
  StoredRecord record;
  record.seq = Seq{load_le<std::uint64_t>(at + kSeq)};
  record.through = {load_le<std::uint64_t>(at + kRecords), load_le<std::uint64_t>(at + kUnits),
                    load_le<std::uint64_t>(at + kBytes)};
  Attributes& a = record.attributes;
  a.arrival_ms = load_le<std::int64_t>(at + kArrival);
  a.oldest_ms = load_le<std::int64_t>(at + kOldest);
  a.newest_ms = load_le<std::int64_t>(at + kNewest);
  a.encoding = load_le<std::uint16_t>(at + kEncoding);
  a.flags = load_le<std::uint16_t>(at + kFlags);
  a.units = load_le<std::uint32_t>(at + kOwnUnits);
  a.raw_bytes = load_le<std::uint32_t>(at + kRawBytes);
  for (std::size_t i = 0; i < a.tallies.size(); ++i)
    a.tallies[i] = load_le<std::uint32_t>(at + kTallies + 4 * i);
  record.bytes = std::move(bytes);
  return record;
}

bool envelope_checks(std::string_view bytes) {
  return bytes.size() >= kEnvelopeBytes &&
         load_le<std::uint64_t>(bytes.data() + kChecksum) == envelope_checksum(bytes);
}

std::size_t find_envelope(std::string_view bytes, std::size_t from) {
  // What every envelope has in common, between its checksum and the length of its payload.
  constexpr char kSignature[] = {kEnvelopeVersion, kRecordKind, kEnvelopeBytes & 0xff, kEnvelopeBytes >> 8};
  const std::string_view signature(kSignature, sizeof kSignature);
  for (std::size_t at = bytes.find(signature, from + kVersion); at != std::string_view::npos;
       at = bytes.find(signature, at + 1))
    if (envelope_extent(bytes.substr(at - kVersion)) != 0) return at - kVersion;
  return std::string_view::npos;
}

std::size_t envelope_extent(std::string_view at) {
  if (at.size() < kEnvelopeBytes) return 0;
  if (load_le<std::uint16_t>(at.data() + kLength) != kEnvelopeBytes) return 0;
  const std::size_t extent = kEnvelopeBytes + load_le<std::uint32_t>(at.data() + kPayload);
  return extent <= at.size() ? extent : 0;
}

std::string record_key(LaneId lane, Seq seq) {
  // Big-endian, so that bytes sort as numbers do.
  std::string key(kRecordKeyBytes, '\0');
  for (int i = 0; i < 4; ++i) key[i] = static_cast<char>(lane.value >> (24 - 8 * i));
  for (int i = 0; i < 8; ++i) key[4 + i] = static_cast<char>(seq.value >> (56 - 8 * i));
  return key;
}

std::optional<RecordKey> parse_record_key(std::string_view key) {
  if (key.size() != kRecordKeyBytes) return std::nullopt;
  RecordKey parsed;
  for (int i = 0; i < 4; ++i) parsed.lane.value = parsed.lane.value << 8 | static_cast<unsigned char>(key[i]);
  for (int i = 0; i < 8; ++i)
    parsed.seq.value = parsed.seq.value << 8 | static_cast<unsigned char>(key[4 + i]);
  return parsed;
}

}  // namespace tideover::wal
