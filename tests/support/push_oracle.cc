#include "tests/support/push_oracle.h"

#include <algorithm>
#include <limits>

#include "forwarders/loki/push_scan.h"
#include "forwarders/remote_write/wire.h"
#include "loki_push.pb.h"

namespace tideover::test {
namespace {

namespace proto = tideover::test::loki;

int group_depth(const google::protobuf::UnknownFieldSet& unknown) {
  int depth = 0;
  for (int i = 0; i < unknown.field_count(); ++i)
    if (unknown.field(i).type() == google::protobuf::UnknownField::TYPE_GROUP)
      depth = std::max(depth, 1 + group_depth(unknown.field(i).group()));
  return depth;
}

// Fields up to `known` are read by the scanner, and must be of their own wire type.
bool plain(const google::protobuf::Message& message, int known) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i)
    if (unknown.field(i).number() <= known) return false;
  return group_depth(unknown) <= remote_write::wire::kGroupDepthMax;
}

std::int64_t ns_of(const proto::Timestamp& time) {
  // 64 bits of mantissa at the least: exact wherever the answer is not one of the ends.
  const long double ns = static_cast<long double>(time.seconds()) * 1e9L + time.nanos();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (ns <= static_cast<long double>(kMin)) return kMin;
  return ns >= static_cast<long double>(kMax) ? kMax : static_cast<std::int64_t>(ns);
}

bool read(const proto::Entry& entry, PushedEntry& out) {
  const proto::Timestamp& time = entry.timestamp();
  if (!plain(entry, 4) || !plain(time, 2)) return false;
  if (time.nanos() < 0 || time.nanos() > 999'999'999) return false;
  if (time.seconds() < -62135596800 || time.seconds() > 253402300799) return false;
  for (const proto::Pair& pair : entry.parsed())
    if (!plain(pair, 2)) return false;
  out.ns = ns_of(time);
  out.line = entry.line();
  for (const proto::Pair& pair : entry.structured_metadata()) {
    if (!plain(pair, 2)) return false;
    out.metadata.emplace_back(pair.name(), pair.value());
  }
  return true;
}

}  // namespace

std::optional<PushedStreams> pushed_as_generated_code_reads(std::string_view raw) {
  proto::PushRequest request;
  if (!request.ParseFromArray(raw.data(), static_cast<int>(raw.size())) || !plain(request, 2))
    return std::nullopt;
  PushedStreams streams;
  for (const proto::Stream& stream : request.streams()) {
    if (!plain(stream, 3)) return std::nullopt;
    PushedStream& out = streams.emplace_back();
    out.labels = stream.labels();
    for (const proto::Entry& entry : stream.entries())
      if (!read(entry, out.entries.emplace_back())) return std::nullopt;
  }
  return streams;
}

std::optional<PushedStreams> pushed_as_scanned(std::string_view raw) {
  struct Visitor {
    PushedStreams streams;
    void stream(std::string_view labels) { streams.push_back({std::string(labels), {}}); }
    void entry(std::int64_t ns, std::string_view line, std::string_view metadata) {
      PushedEntry& out = streams.back().entries.emplace_back();
      out.ns = ns;
      out.line = line;
      tideover::loki::MetadataReader reader(metadata);
      for (tideover::loki::Pair pair; reader.next(pair);)
        out.metadata.emplace_back(std::string(pair.name), std::string(pair.value));
    }
  } visitor;
  if (!tideover::loki::scan_push(raw, visitor)) return std::nullopt;
  return std::move(visitor.streams);
}

std::string written_by_generated_code(const PushedStreams& streams) {
  proto::PushRequest request;
  for (const PushedStream& stream : streams) {
    proto::Stream& out = *request.add_streams();
    out.set_labels(stream.labels);
    for (const PushedEntry& entry : stream.entries) {
      proto::Entry& to = *out.add_entries();
      std::int64_t seconds = entry.ns / 1'000'000'000;
      std::int64_t nanos = entry.ns % 1'000'000'000;
      if (nanos < 0) --seconds, nanos += 1'000'000'000;
      to.mutable_timestamp()->set_seconds(seconds);
      to.mutable_timestamp()->set_nanos(static_cast<std::int32_t>(nanos));
      to.set_line(entry.line);
      for (const auto& [name, value] : entry.metadata) {
        proto::Pair& pair = *to.add_structured_metadata();
        pair.set_name(name);
        pair.set_value(value);
      }
    }
  }
  return request.SerializeAsString();
}

}  // namespace tideover::test
