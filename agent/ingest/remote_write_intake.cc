#include "agent/ingest/remote_write_intake.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "agent/ingest/metrics.h"
#include "agent/ingest/negotiation.h"
#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/snappy.h"

namespace tideover::ingest {
namespace {

using remote_write::Counts;
using remote_write::Scan;
using remote_write::Version;

// A message above this leaves no buffer behind: rare, and not worth holding its memory.
constexpr std::size_t kScratchKeptBytes = 4 << 20;

// As Prometheus' receiver. A timestamp further ahead says nothing about how fresh the data is, and as the
// newest it would stay for good.
constexpr std::int64_t kAheadMsMax = 10 * 60 * 1000;

Protocol protocol_of(Version version) { return version == Version::v1 ? Protocol::rw1 : Protocol::rw2; }

// 2.0 wants the exact counts on success and on failure; to a 1.0 sender they would be read as a partial
// failure (Prometheus #17683).
http::Response answer(Answer kind, Version version, const Counts& written, std::string sentence = {}) {
  http::Response response;
  response.status = status_of(kind);
  if (version == Version::v2) {
    response.headers.add("X-Prometheus-Remote-Write-Samples-Written", std::to_string(written.floats));
    response.headers.add("X-Prometheus-Remote-Write-Histograms-Written", std::to_string(written.histograms));
    response.headers.add("X-Prometheus-Remote-Write-Exemplars-Written", std::to_string(written.exemplars));
  }
  if (!sentence.empty()) {
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(sentence) + "\n";
  }
  return response;
}

// Never 429: Prometheus drops what is answered so. At most 5 s, since its own buffer fills meanwhile.
http::Response refused(Version version, Errc code, std::string sentence) {
  http::Response response = answer(Answer::refused, version, {}, std::move(sentence));
  response.headers.add("Retry-After", code == Errc::unavailable || code == Errc::stopping ? "1" : "5");
  return response;
}

wal::Attributes attributes_of(const Scan& scan, Version version, std::size_t raw_bytes,
                              std::int64_t arrival_ms) {
  wal::Attributes a;
  a.encoding = static_cast<std::uint16_t>(version);
  a.flags = static_cast<std::uint16_t>((scan.sorted ? remote_write::kSorted : 0) |
                                       (scan.start_timestamps ? remote_write::kStartTimestamps : 0) |
                                       (scan.stale_markers ? remote_write::kStaleMarkers : 0));
  a.units = scan.counts.floats + scan.counts.histograms;
  a.raw_bytes = static_cast<std::uint32_t>(raw_bytes);
  a.tallies[remote_write::kFloats] = scan.counts.floats;
  a.tallies[remote_write::kHistograms] = scan.counts.histograms;
  a.tallies[remote_write::kExemplars] = scan.counts.exemplars;
  a.tallies[remote_write::kMetadata] = scan.counts.metadata;
  a.arrival_ms = arrival_ms;
  a.oldest_ms = scan.oldest_ms;
  a.newest_ms = scan.newest_ms;
  return a;
}

std::string describe(const Scan& scan) {
  const std::string first = scan.faults.empty() ? std::string() : scan.faults.front().sentence;
  if (scan.faulty_series <= 1) return first;
  return fmt::format("{} (and {} more series with faults; the others were stored)", first,
                     scan.faulty_series - 1);
}

bool empty(const Counts& c) { return c.floats + c.histograms + c.exemplars + c.metadata == 0; }

}  // namespace

RemoteWriteIntake::RemoteWriteIntake(wal::Queue& queue, LaneId lane, Clock& clock, IntakeMetrics& metrics)
    : queue_(queue), lane_(lane), clock_(clock), metrics_(metrics) {}

http::Response RemoteWriteIntake::count(http::Response response, Protocol protocol, Answer kind) const {
  ++metrics_.requests[static_cast<std::size_t>(protocol)][static_cast<std::size_t>(kind)];
  return response;
}

http::Response RemoteWriteIntake::turn_away(Version version, Error error, std::uint64_t record_bytes) const {
  if (error.code == Errc::too_large)  // it never fits: to ask for it again would ask for ever
    return count(answer(Answer::too_large, version, {}, std::move(error.detail)), protocol_of(version),
                 Answer::too_large);
  metrics_.refused.note(record_bytes, clock_.now());
  return count(refused(version, error.code, std::move(error.detail)), protocol_of(version), Answer::refused);
}

std::optional<http::Response> RemoteWriteIntake::check(const http::Request& head) const {
  std::optional<http::Response> refusal = judge(head);
  if (refusal) senders_.note({head.peer, head.headers}, *refusal, to_unix_ms(clock_.wall_now()));
  return refusal;
}

std::optional<http::Response> RemoteWriteIntake::judge(const http::Request& head) const {
  const Result<Version> version = negotiate(head.headers);
  if (!version) {
    // Whether the sender speaks 2.0 is not known; zero counts are wanted if it does and harmless if it does
    // not.
    return count(answer(Answer::unsupported, Version::v2, {}, version.error().detail), Protocol::unknown,
                 Answer::unsupported);
  }
  // A body that could not be stored is not read.
  std::uint64_t length = 0;
  const std::string_view declared = head.headers.find("Content-Length");
  std::from_chars(declared.data(), declared.data() + declared.size(), length);
  const std::uint64_t record_bytes = length + wal::kEnvelopeBytes;
  auto refusal = queue_.refusal(lane_, record_bytes);
  if (!refusal) return std::nullopt;
  return turn_away(*version, {refusal->code, std::move(refusal->sentence)}, record_bytes);
}

awaitable<http::Response> RemoteWriteIntake::handle(http::Request request) {
  const std::uint64_t bytes = request.body.size() - std::min(request.body.size(), wal::kEnvelopeBytes);
  const Result<Version> version = negotiate(request.headers);
  Taken taken;
  if (version) {
    auto taking = take(std::move(request.body), *version);
    taken = co_await std::move(taking);
  } else {
    taken.response = count(answer(Answer::unsupported, Version::v2, {}, version.error().detail),
                           Protocol::unknown, Answer::unsupported);
  }
  senders_.note({request.peer, request.headers, bytes, taken.samples}, taken.response,
                to_unix_ms(clock_.wall_now()));
  co_return std::move(taken.response);
}

awaitable<RemoteWriteIntake::Taken> RemoteWriteIntake::take(std::string body, Version version) {
  const Protocol protocol = protocol_of(version);
  wal::NewRecord record;
  record.bytes = std::move(body);

  // From here to the append nothing is awaited, so that one scratch buffer serves every request.
  if (const auto decoded =
          remote_write::decompress(record.payload(), remote_write::kDecodedBytesMax, scratch_);
      !decoded) {
    const Answer kind = decoded.error().code == Errc::too_large ? Answer::too_large : Answer::undecodable;
    co_return Taken{count(answer(kind, version, {}, decoded.error().detail), protocol, kind)};
  }
  const Result<Scan> scanned = remote_write::scan(scratch_, version);
  if (!scanned) {
    const Answer kind = scanned.error().code == Errc::too_large ? Answer::too_large : Answer::undecodable;
    co_return Taken{count(answer(kind, version, {}, scanned.error().detail), protocol, kind)};
  }
  const Scan& scan = *scanned;
  std::size_t raw_bytes = scratch_.size();
  if (!scan.clean() && !empty(scan.counts)) {
    // Up to 32 MiB each: what is not needed any more is given back before the next one is made.
    std::string().swap(record.bytes);
    std::string valid = remote_write::without_faults(scratch_, version);
    std::string().swap(scratch_);
    raw_bytes = valid.size();
    std::string compressed;
    remote_write::compress(valid, compressed);
    std::string().swap(valid);
    record.bytes.reserve(wal::kEnvelopeBytes + compressed.size());
    record.bytes.assign(wal::kEnvelopeBytes, '\0');
    record.bytes += compressed;
  }
  if (scratch_.capacity() > kScratchKeptBytes) std::string().swap(scratch_);

  if (!empty(scan.counts)) {
    const std::size_t body_bytes = record.payload().size();
    const std::size_t record_bytes = record.bytes.size();
    record.attributes = attributes_of(scan, version, raw_bytes, to_unix_ms(clock_.wall_now()));
    Result<> appended = co_await queue_.append(lane_, std::move(record));
    if (!appended) co_return Taken{turn_away(version, appended.error(), record_bytes)};
    metrics_.floats += scan.counts.floats;
    metrics_.histograms += scan.counts.histograms;
    metrics_.exemplars += scan.counts.exemplars;
    metrics_.metadata += scan.counts.metadata;
    metrics_.body_bytes += body_bytes;
    metrics_.raw_bytes += raw_bytes;
    if (scan.newest_ms <= to_unix_ms(clock_.wall_now()) + kAheadMsMax)
      metrics_.newest_ms = std::max(metrics_.newest_ms, scan.newest_ms);
  }
  const std::uint64_t samples = scan.counts.floats + scan.counts.histograms;
  if (scan.clean())
    co_return Taken{count(answer(Answer::stored, version, scan.counts), protocol, Answer::stored), samples};
  // Prometheus drops the whole request on a 400: its good series are safe by now.
  metrics_.faulty_series += scan.faulty_series;
  co_return Taken{count(answer(Answer::partly_stored, version, scan.counts, describe(scan)), protocol,
                        Answer::partly_stored),
                  samples};
}

}  // namespace tideover::ingest
