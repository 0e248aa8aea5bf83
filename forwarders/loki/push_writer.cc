#include "forwarders/loki/push_writer.h"

#include <algorithm>
#include <utility>

#include "forwarders/remote_write/wire.h"
#include "wal/base/invariant.h"

namespace tideover::loki {
namespace {

namespace wire = remote_write::wire;

// Seconds and nanoseconds of a time before 1970 count forward from the second before it.
struct Parts {
  explicit Parts(std::int64_t ns) : seconds(ns / kNanosPerSecond), nanos(ns % kNanosPerSecond) {
    if (nanos < 0) {
      --seconds;
      nanos += kNanosPerSecond;
    }
  }
  // Zeros are not written, as in all of proto3.
  std::size_t size() const {
    return (seconds != 0 ? 1 + wire::varint_size(static_cast<std::uint64_t>(seconds)) : 0) +
           (nanos != 0 ? 1 + wire::varint_size(static_cast<std::uint64_t>(nanos)) : 0);
  }

  std::int64_t seconds;
  std::int64_t nanos;
};

std::size_t size_unless_empty(std::string_view bytes) {
  return bytes.empty() ? 0 : wire::field_size(bytes.size());
}

void put_unless_empty(std::string& out, std::uint32_t field, std::string_view bytes) {
  if (!bytes.empty()) wire::put_bytes(out, field, bytes);
}

}  // namespace

void put_pair(std::string& metadata, const Pair& pair) {
  wire::put_varint(metadata, wire::tag_of(kEntryMetadata, wire::kBytes));
  wire::put_varint(metadata, size_unless_empty(pair.name) + size_unless_empty(pair.value));
  put_unless_empty(metadata, kPairName, pair.name);
  put_unless_empty(metadata, kPairValue, pair.value);
}

void PushWriter::stream(std::string_view labels) {
  end_stream();
  labels_ = labels;
  begun_ = true;
}

void PushWriter::relabel(std::string_view labels) {
  invariant(begun_, "labels belong to a stream");
  labels_ = labels;
}

void PushWriter::entry(std::int64_t ns, std::string_view line, std::span<const Pair> metadata) {
  pairs_.clear();
  for (const Pair& pair : metadata) put_pair(pairs_, pair);
  entry(ns, line, std::string_view(pairs_));
}

void PushWriter::entry(std::int64_t ns, std::string_view line, std::string_view metadata) {
  invariant(begun_, "an entry belongs to a stream");
  const Parts time(ns);
  const std::size_t size = wire::field_size(time.size()) + size_unless_empty(line) + metadata.size();
  wire::put_varint(open_, wire::tag_of(kStreamEntries, wire::kBytes));
  wire::put_varint(open_, size);
  wire::put_varint(open_, wire::tag_of(kEntryTimestamp, wire::kBytes));
  wire::put_varint(open_, time.size());
  if (time.seconds != 0) wire::put_number(open_, kTimestampSeconds, static_cast<std::uint64_t>(time.seconds));
  if (time.nanos != 0) wire::put_number(open_, kTimestampNanos, static_cast<std::uint64_t>(time.nanos));
  put_unless_empty(open_, kEntryLine, line);
  open_.append(metadata);
  ++entries_;
  oldest_ns_ = std::min(oldest_ns_, ns);
  newest_ns_ = std::max(newest_ns_, ns);
}

std::uint64_t PushWriter::bytes() const {
  if (open_.empty()) return message_.size();
  return message_.size() + wire::field_size(size_unless_empty(labels_) + open_.size());
}

void PushWriter::end_stream() {
  if (!open_.empty()) {
    wire::put_varint(message_, wire::tag_of(kRequestStreams, wire::kBytes));
    wire::put_varint(message_, size_unless_empty(labels_) + open_.size());
    put_unless_empty(message_, kStreamLabels, labels_);
    message_.append(open_);
    open_.clear();
  }
  begun_ = false;
}

std::string PushWriter::take() {
  end_stream();
  std::string message = std::exchange(message_, {});
  *this = PushWriter();
  return message;
}

}  // namespace tideover::loki
