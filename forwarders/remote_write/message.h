// Whole requests made from stored records: pass-through, merge, slice, convert. Used by the Thanos
// destination.
//
// An *item* is the unit of slicing: one sample or histogram of one series, or one entry that carries none
// (a metadata entry of 1.0, a series with exemplars alone). Items keep the order of the records, so any
// contiguous range of them keeps per-series order. A series' exemplars and metadata travel with its first
// item in the range.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "forwarders/remote_write/remote_write.h"
#include "forwarders/remote_write/scan.h"
#include "wal/base/result.h"
#include "wal/record.h"

namespace tideover::remote_write {

using ExternalLabels = std::map<std::string, std::string>;  // added where the series does not have the name

struct Encoded {
  std::string body;  // snappy block, ready to send
  Counts counts;     // what the receiver's Written headers must say
  std::uint64_t units = 0;
  std::uint64_t stripped = 0;  // start timestamps lost in a conversion to 1.0
  std::int64_t oldest_ms = 0;
  std::int64_t newest_ms = 0;
};

// True when `records` need no Message: all of `version`, all sorted, no label to add.
bool passes_through(std::span<const wal::StoredRecord> records, Version version,
                    const ExternalLabels& labels);

// Such records as one request; counts.series stays 0, since it is not among a record's tallies.
// One record: byte for byte as stored. Several of 1.0: without decompression, because a snappy block is a
// length and a row of elements whose copies reach backwards only, so rows of elements concatenate, and so do
// protobuf messages. Several of 2.0: symbols united and references rewritten; samples and histograms are
// copied as bytes. Errors: bad_input (cannot happen for what intake accepted).
Result<Encoded> merge(std::span<const wal::StoredRecord> records);

// How many of `records`, from the first, belong into one request: one encoding, at most `units_max` units and
// `raw_bytes_max` raw bytes; always at least one. And no histogram behind a stale marker that came earlier as
// a float: Prometheus' TSDB, and with it Thanos, takes such a marker of a series of histograms for one of
// them, and appends it behind the others of its request (tsdb/head_append.go, commitFloats): behind what is
// newer, where it may get lost. Asked for one after the other, both are stored (DELIVERY.md).
std::size_t mergeable(std::span<const wal::StoredRecord> records, std::uint64_t units_max,
                      std::uint64_t raw_bytes_max);

// The slow path: records decoded once, of which ranges of items are encoded. Memory: the decoded messages and
// 32 bytes an item.
class Message {
 public:
  // Records of one version. Errors: bad_input (cannot happen for what intake accepted).
  static Result<Message> decode(std::span<const wal::StoredRecord> records);
  Message(Message&&) noexcept;
  Message& operator=(Message&&) noexcept;
  ~Message();

  std::size_t items() const;
  std::uint64_t units(std::size_t first, std::size_t last) const;  // of items [first, last)

  // Labels come out sorted, `labels` added. A conversion 2.0 -> 1.0 drops start timestamps (counted) and
  // turns inline metadata into metadata entries; 1.0 -> 2.0 is never asked for.
  Encoded encode(std::size_t first, std::size_t last, Version version, const ExternalLabels& labels) const;
  // The same, given up as soon as the message before compression is larger than `raw_bytes_max`: labels to
  // add and a conversion to 1.0 make more of a record than it was. Errors: too_large.
  Result<Encoded> encode_within(std::size_t raw_bytes_max, std::size_t first, std::size_t last,
                                Version version, const ExternalLabels& labels) const;

  // Labels of the series of an item, as text for logs and the reject store: {__name__="up", job="x"}.
  std::string describe(std::size_t item) const;

  struct Impl;  // message_parts.h

 private:
  explicit Message(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::remote_write
