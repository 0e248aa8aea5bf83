// Reads Loki's push request (decompressed protobuf) where it lies: streams, their entries, and nothing
// copied.
//
// For both edges: intake reads what clients send, the destination what records hold. Strictness as that of
// Loki's own parser (pkg/push): a known field of another wire type and a timestamp outside of the years 1 to
// 9999 make the whole request unreadable; lines and labels may be any bytes. A stream may come several times
// with the same labels. Tests hold it against generated protobuf code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forwarders/loki/push_fields.h"
#include "forwarders/remote_write/wire.h"
#include "wal/base/result.h"

namespace tideover::loki {

struct PushEntry {
  std::int64_t ns = 0;  // unix time; what 64 bits of nanoseconds cannot say is the nearest that they can
  std::string_view line;
  std::string_view metadata;  // its fields on the wire, heads included: to be copied as they are
};

// One request, a step at a time. What it hands out borrows the request; an entry's metadata only lives until
// the next step, since it is gathered here when its fields do not follow each other.
class PushReader {
 public:
  explicit PushReader(std::string_view raw) : request_(raw) {}

  bool next_stream();  // false behind the last, and where the message cannot be read
  std::string_view labels() const { return labels_; }
  bool next_entry(PushEntry& entry);  // of this stream; those that are left unread are not looked at

  bool broken() const { return broken_; }
  std::string where() const;  // "stream 3, entry 17", counted from 1

 private:
  bool break_off();
  bool read_labels(std::string_view stream);
  bool read_entry(std::string_view bytes, PushEntry& entry);

  remote_write::wire::Reader request_;
  remote_write::wire::Reader stream_{{}};
  std::string_view labels_;
  std::string gathered_;
  std::uint64_t streams_ = 0;
  std::uint64_t entries_ = 0;
  bool broken_ = false;
};

// The pairs of an entry's metadata, which its reader has found readable.
class MetadataReader {
 public:
  explicit MetadataReader(std::string_view metadata) : metadata_(metadata) {}
  bool next(Pair& pair);

 private:
  remote_write::wire::Reader metadata_;
};

// Of names and values, as Loki's limits count them.
struct MetadataSize {
  std::uint64_t bytes = 0;
  std::uint64_t pairs = 0;
};
MetadataSize size_of_metadata(std::string_view metadata);

// All of a request: visitor.stream(labels), then visitor.entry(ns, line, metadata) for each of its entries.
// Errors: bad_input, in the words of a 400 answer; the visitor has then seen what came before the fault.
template <class Visitor>
Result<> scan_push(std::string_view raw, Visitor&& visitor) {
  PushReader reader(raw);
  PushEntry entry;
  while (reader.next_stream()) {
    visitor.stream(reader.labels());
    while (reader.next_entry(entry)) visitor.entry(entry.ns, entry.line, entry.metadata);
  }
  if (reader.broken())
    return fail(Errc::bad_input, "the body is not a push request: it cannot be read at " + reader.where());
  return {};
}

}  // namespace tideover::loki
