#include "forwarders/loki/push_scan.h"

#include <limits>

namespace tideover::loki {
namespace {

namespace wire = remote_write::wire;

// As google.protobuf.Timestamp bounds it: from the year 1 to the end of 9999.
constexpr std::int64_t kSecondsMin = -62'135'596'800;
constexpr std::int64_t kSecondsMax = 253'402'300'799;

struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;

  bool valid() const {
    return seconds >= kSecondsMin && seconds <= kSecondsMax && nanos >= 0 && nanos < kNanosPerSecond;
  }
  std::int64_t ns() const {
    std::int64_t value;
    // In two steps that both stay in range whenever the sum does: whole seconds are rounded towards zero.
    const bool before = seconds < 0 && nanos > 0;
    const std::int64_t whole = seconds + (before ? 1 : 0);
    const std::int64_t rest = nanos - (before ? kNanosPerSecond : 0);
    if (__builtin_mul_overflow(whole, kNanosPerSecond, &value) || __builtin_add_overflow(value, rest, &value))
      return seconds < 0 ? std::numeric_limits<std::int64_t>::min()
                         : std::numeric_limits<std::int64_t>::max();
    return value;
  }
};

// A timestamp that comes in parts is the sum of its parts, as protobuf has it for messages.
bool read_timestamp(std::string_view bytes, Timestamp& out) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t number;
    if (!reader.tag(tag)) return false;
    const std::uint32_t field = wire::field_of(tag);
    if (field != kTimestampSeconds && field != kTimestampNanos) {
      if (!reader.skip(tag)) return false;
      continue;
    }
    if (wire::type_of(tag) != wire::kVarint || !reader.varint(number)) return false;
    if (field == kTimestampSeconds) out.seconds = static_cast<std::int64_t>(number);
    if (field == kTimestampNanos) out.nanos = static_cast<std::int32_t>(number);
  }
  return true;
}

bool read_pair(std::string_view bytes, Pair& out) {
  out = {};
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    if (!reader.tag(tag)) return false;
    const std::uint32_t field = wire::field_of(tag);
    if (field != kPairName && field != kPairValue) {
      if (!reader.skip(tag)) return false;
      continue;
    }
    if (wire::type_of(tag) != wire::kBytes || !reader.bytes(field == kPairName ? out.name : out.value))
      return false;
  }
  return true;
}

}  // namespace

bool PushReader::next_stream() {
  if (broken_) return false;  // where it broke is kept
  entries_ = 0;
  labels_ = {};
  stream_ = wire::Reader({});
  while (!request_.done()) {
    std::uint32_t tag;
    std::string_view bytes;
    if (!request_.tag(tag)) return break_off();
    if (wire::field_of(tag) != kRequestStreams) {
      const bool misread = wire::field_of(tag) == kRequestFormat && wire::type_of(tag) != wire::kBytes;
      if (misread || !request_.skip(tag)) return break_off();
      continue;
    }
    ++streams_;
    if (wire::type_of(tag) != wire::kBytes || !request_.bytes(bytes) || !read_labels(bytes))
      return break_off();
    stream_ = wire::Reader(bytes);
    return true;
  }
  return false;
}

// Labels may come behind the entries and more than once: the last ones count.
bool PushReader::read_labels(std::string_view stream) {
  labels_ = {};
  wire::Reader reader(stream);
  while (!reader.done()) {
    std::uint32_t tag;
    std::string_view entry;
    if (!reader.tag(tag)) return false;
    const std::uint32_t field = wire::field_of(tag);
    if (field != kStreamLabels && field != kStreamEntries) {
      if (field == kStreamHash && wire::type_of(tag) != wire::kVarint) return false;
      if (!reader.skip(tag)) return false;
      continue;
    }
    if (wire::type_of(tag) != wire::kBytes || !reader.bytes(field == kStreamLabels ? labels_ : entry))
      return false;
  }
  return true;
}

bool PushReader::next_entry(PushEntry& entry) {
  while (!broken_ && !stream_.done()) {
    std::uint32_t tag;
    std::string_view bytes;
    // read_labels() has been here: fields and their types are right.
    if (!stream_.tag(tag)) return break_off();
    if (wire::field_of(tag) != kStreamEntries) {
      if (!stream_.skip(tag)) return break_off();
      continue;
    }
    ++entries_;
    return (stream_.bytes(bytes) && read_entry(bytes, entry)) || break_off();
  }
  return false;
}

bool PushReader::break_off() {
  broken_ = true;
  return false;
}

bool PushReader::read_entry(std::string_view bytes, PushEntry& entry) {
  entry = {};
  Timestamp timestamp;
  std::size_t runs = 0;  // of metadata fields that follow each other
  wire::Reader reader(bytes);
  while (!reader.done()) {
    const char* const begin = reader.at();
    std::uint32_t tag;
    std::string_view field;
    Pair pair;
    if (!reader.tag(tag)) return false;
    const std::uint32_t number = wire::field_of(tag);
    if (number < kEntryTimestamp || number > kEntryParsed) {
      if (!reader.skip(tag)) return false;
      continue;
    }
    if (wire::type_of(tag) != wire::kBytes || !reader.bytes(field)) return false;
    if (number == kEntryTimestamp && !read_timestamp(field, timestamp)) return false;
    if (number == kEntryLine) entry.line = field;
    if (number != kEntryMetadata && number != kEntryParsed) continue;
    if (!read_pair(field, pair)) return false;
    if (number == kEntryParsed) continue;
    const std::string_view whole(begin, static_cast<std::size_t>(reader.at() - begin));
    if (runs == 0) {
      entry.metadata = whole;
      runs = 1;
    } else if (runs == 1 && entry.metadata.data() + entry.metadata.size() == begin) {
      entry.metadata = {entry.metadata.data(), entry.metadata.size() + whole.size()};
    } else {
      if (runs++ == 1) gathered_.assign(entry.metadata);
      gathered_.append(whole);
      entry.metadata = gathered_;
    }
  }
  entry.ns = timestamp.ns();
  return timestamp.valid();
}

std::string PushReader::where() const {
  if (streams_ == 0) return "its first byte";
  const std::string stream = "stream " + std::to_string(streams_);
  return entries_ == 0 ? stream : stream + ", entry " + std::to_string(entries_);
}

MetadataSize size_of_metadata(std::string_view metadata) {
  MetadataSize size;
  MetadataReader reader(metadata);
  for (Pair pair; reader.next(pair); ++size.pairs) size.bytes += pair.name.size() + pair.value.size();
  return size;
}

bool MetadataReader::next(Pair& pair) {
  std::uint32_t tag;
  std::string_view bytes;
  return !metadata_.done() && metadata_.tag(tag) && metadata_.bytes(bytes) && read_pair(bytes, pair);
}

}  // namespace tideover::loki
