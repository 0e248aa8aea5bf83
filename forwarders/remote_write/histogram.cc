#include "forwarders/remote_write/histogram.h"

#include <bit>

#include "forwarders/remote_write/limits.h"
#include "forwarders/remote_write/wire.h"

namespace tideover::remote_write {
namespace {

using wire::kBytes;
using wire::kFixed64;
using wire::kVarint;
using wire::tag_of;

enum Field : std::uint32_t {
  kCountInt = 1,
  kCountFloat = 2,
  kSum = 3,
  kSchema = 4,
  kZeroThreshold = 5,
  kZeroCountInt = 6,
  kZeroCountFloat = 7,
  kNegativeSpans = 8,
  kNegativeDeltas = 9,
  kNegativeCounts = 10,
  kPositiveSpans = 11,
  kPositiveDeltas = 12,
  kPositiveCounts = 13,
  kResetHint = 14,
  kTimestamp = 15,
  kCustomValues = 16,
  kStartTimestamp = 17,
};

bool read_double(wire::Reader& reader, double& out) {
  std::uint64_t bits;
  if (!reader.fixed64(bits)) return false;
  out = std::bit_cast<double>(bits);
  return true;
}

bool read_span(std::string_view bytes, BucketSpan& out) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t value;
    if (!reader.tag(tag)) return false;
    switch (tag) {
      case tag_of(1, kVarint):
        if (!reader.varint(value)) return false;
        out.offset = static_cast<std::int32_t>(wire::zigzag(static_cast<std::uint32_t>(value)));
        break;
      case tag_of(2, kVarint):
        if (!reader.varint(value)) return false;
        out.length = static_cast<std::uint32_t>(value);
        break;
      default:
        if (wire::field_of(tag) <= 2 || !reader.skip(tag)) return false;
    }
  }
  return true;
}

// Room for one more. One beyond the limit is kept, so that too many are seen to be so; the others overwrite
// it.
template <class T>
T& room_in(std::vector<T>& list) {
  return list.size() > kHistogramListMax ? list.back() : list.emplace_back();
}

bool append_span(wire::Reader& reader, std::vector<BucketSpan>& out) {
  std::string_view bytes;
  return reader.bytes(bytes) && read_span(bytes, room_in(out));
}

bool append_doubles(std::string_view packed, std::vector<double>& out) {
  wire::Reader reader(packed);
  while (!reader.done())
    if (!read_double(reader, room_in(out))) return false;
  return true;
}

bool append_deltas(std::string_view packed, std::vector<std::int64_t>& out) {
  wire::Reader reader(packed);
  while (!reader.done()) {
    std::uint64_t value;
    if (!reader.varint(value)) return false;
    room_in(out) = wire::zigzag(value);
  }
  return true;
}

bool read_list(wire::Reader& reader, std::uint32_t tag, std::vector<double>& out) {
  if (wire::type_of(tag) == kFixed64) return read_double(reader, room_in(out));
  std::string_view packed;
  return reader.bytes(packed) && append_doubles(packed, out);
}

bool read_list(wire::Reader& reader, std::uint32_t tag, std::vector<std::int64_t>& out) {
  std::uint64_t value;
  if (wire::type_of(tag) == kVarint) {
    if (!reader.varint(value)) return false;
    room_in(out) = wire::zigzag(value);
    return true;
  }
  std::string_view packed;
  return reader.bytes(packed) && append_deltas(packed, out);
}

bool read_field(wire::Reader& reader, std::uint32_t tag, Version version, Histogram& out) {
  std::uint64_t value;
  switch (tag) {
    case tag_of(kCountInt, kVarint): out.is_float = false; return reader.varint(out.count_int);
    case tag_of(kCountFloat, kFixed64): out.is_float = true; return read_double(reader, out.count_float);
    case tag_of(kSum, kFixed64): return read_double(reader, out.sum);
    case tag_of(kSchema, kVarint):
      if (!reader.varint(value)) return false;
      out.schema = static_cast<std::int32_t>(wire::zigzag(static_cast<std::uint32_t>(value)));
      return true;
    case tag_of(kZeroThreshold, kFixed64): return read_double(reader, out.zero_threshold);
    case tag_of(kZeroCountInt, kVarint): out.zero_count_float = 0; return reader.varint(out.zero_count_int);
    case tag_of(kZeroCountFloat, kFixed64):
      out.zero_count_int = 0;
      return read_double(reader, out.zero_count_float);
    case tag_of(kNegativeSpans, kBytes): return append_span(reader, out.negative.spans);
    case tag_of(kPositiveSpans, kBytes): return append_span(reader, out.positive.spans);
    case tag_of(kNegativeDeltas, kVarint):
    case tag_of(kNegativeDeltas, kBytes): return read_list(reader, tag, out.negative.deltas);
    case tag_of(kPositiveDeltas, kVarint):
    case tag_of(kPositiveDeltas, kBytes): return read_list(reader, tag, out.positive.deltas);
    case tag_of(kNegativeCounts, kFixed64):
    case tag_of(kNegativeCounts, kBytes): return read_list(reader, tag, out.negative.counts);
    case tag_of(kPositiveCounts, kFixed64):
    case tag_of(kPositiveCounts, kBytes): return read_list(reader, tag, out.positive.counts);
    case tag_of(kCustomValues, kFixed64):
    case tag_of(kCustomValues, kBytes): return read_list(reader, tag, out.custom_values);
    case tag_of(kResetHint, kVarint): return reader.varint(value);
    case tag_of(kTimestamp, kVarint):
      if (!reader.varint(value)) return false;
      out.timestamp_ms = static_cast<std::int64_t>(value);
      return true;
    case tag_of(kStartTimestamp, kVarint):
      if (!reader.varint(value)) return false;
      if (version == Version::v2) out.start_ms = static_cast<std::int64_t>(value);
      return true;
    default: {
      const std::uint32_t known_max = version == Version::v2 ? kStartTimestamp : kCustomValues;
      return wire::field_of(tag) > known_max && reader.skip(tag);
    }
  }
}

void clear(HistogramSide& side) {
  side.spans.clear();
  side.deltas.clear();
  side.counts.clear();
}

}  // namespace

void Histogram::clear() {
  Histogram empty;
  std::swap(empty.positive, positive);
  std::swap(empty.negative, negative);
  std::swap(empty.custom_values, custom_values);
  remote_write::clear(empty.positive);
  remote_write::clear(empty.negative);
  empty.custom_values.clear();
  *this = std::move(empty);
}

bool read_histogram(std::string_view bytes, Version version, Histogram& out) {
  out.clear();
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    if (!reader.tag(tag) || !read_field(reader, tag, version, out)) return false;
  }
  return true;
}

}  // namespace tideover::remote_write
