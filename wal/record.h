// What the queue carries: opaque payloads with the few attributes that the queue, the ledger and the senders
// need without looking inside.
//
// A payload travels in one allocation from the socket to the store: its buffer begins with room for the
// envelope (wal_format.h), which the queue fills in when the record gets its sequence number.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wal/base/strong.h"

namespace tideover::wal {

// Bytes of envelope before the payload; docs/WAL_FORMAT.md section 2.
inline constexpr std::size_t kEnvelopeBytes = 104;

struct Attributes {
  std::uint16_t encoding = 0;   // how to read the payload; the signal's own numbering (remote_write::Version)
  std::uint16_t flags = 0;      // the signal's own bits (remote_write::Flag), and forward::kOvertaken
  std::uint32_t units = 0;      // what the ledger counts: samples, lines
  std::uint32_t raw_bytes = 0;  // size of the payload once decompressed
  std::array<std::uint32_t, 4> tallies{};  // the signal's own counts (remote_write::Tally)
  std::int64_t arrival_ms = 0;             // unix time at which intake accepted it
  std::int64_t oldest_ms = 0;              // smallest and largest timestamp inside; 0 when there is none
  std::int64_t newest_ms = 0;
};

// A record on its way in. `bytes` = kEnvelopeBytes of room, then the payload.
struct NewRecord {
  std::string bytes;
  Attributes attributes;

  std::string_view payload() const { return std::string_view(bytes).substr(kEnvelopeBytes); }
};

// Sums over a lane from its first record up to and including one record. Never decreasing; the difference of
// two is what lies between them, so that queued = tail minus cursor needs no counters of its own.
struct Totals {
  std::uint64_t records = 0;
  std::uint64_t units = 0;
  std::uint64_t bytes = 0;  // envelope and payload, as stored

  bool operator==(const Totals&) const = default;
  friend Totals operator-(const Totals& a, const Totals& b) {
    return {a.records - b.records, a.units - b.units, a.bytes - b.bytes};
  }
  // What lies between the two; nothing, where damage made `a` smaller than what it follows.
  friend Totals distance(const Totals& from, const Totals& to) {
    const auto beyond = [](std::uint64_t a, std::uint64_t b) { return b > a ? b - a : 0; };
    return {beyond(from.records, to.records), beyond(from.units, to.units), beyond(from.bytes, to.bytes)};
  }
  friend Totals operator+(const Totals& a, const Totals& b) {
    return {a.records + b.records, a.units + b.units, a.bytes + b.bytes};
  }
};

// A durable record as readers see it. Shares its bytes: cheap to copy, valid as long as any copy lives.
struct StoredRecord {
  Seq seq;         // of a pack: the last number that it stands for
  Totals through;  // including this record
  Attributes attributes;
  std::shared_ptr<const std::string> bytes;
  std::uint32_t span = 1;        // numbers that it stands for; more than one: a pack
  std::uint32_t name_check = 0;  // of the lane that it was written to; 0: it does not say

  Seq first() const { return Seq{seq.value - span + 1}; }
  std::string_view payload() const { return std::string_view(*bytes).substr(kEnvelopeBytes); }
};

// Of all before `record`, as far as it can tell: what a pack replaced was of another size than it is itself.
inline Totals before(const StoredRecord& record) {
  return record.through - Totals{record.span, record.attributes.units, record.bytes->size()};
}

}  // namespace tideover::wal
