#include "forwarders/thanos/thanos_destination.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "forwarders/remote_write/snappy.h"
#include "forwarders/thanos/classify.h"
#include "wal/base/invariant.h"

namespace tideover::thanos {
namespace {

using forward::Outgoing;
using forward::Part;
using remote_write::Encoded;
using remote_write::Message;
using remote_write::Version;

// What is made anew is held in several copies meanwhile: beyond this it is sent in halves. Not a configured
// limit: far above what one request takes when several records wait.
constexpr std::size_t kMadeBytesMax = 4 << 20;

http::Request request_of(const ThanosOptions& options, Version version, std::uint32_t retry,
                         std::string body) {
  http::Request request;
  request.method = "POST";
  request.target = options.target;
  request.headers.add("Content-Encoding", "snappy");
  request.headers.add("Content-Type", std::string(remote_write::content_type(version)));
  request.headers.add("X-Prometheus-Remote-Write-Version",
                      std::string(remote_write::version_header(version)));
  request.headers.add("User-Agent", options.user_agent);
  if (!options.tenant.empty()) request.headers.add("THANOS-TENANT", options.tenant);
  if (retry > 0) request.headers.add("Retry-Attempt", std::to_string(retry));
  for (const auto& [name, value] : options.headers.fields())
    if (!request.headers.has(name)) request.headers.add(name, value);
  request.body = std::move(body);
  return request;
}

std::array<std::uint32_t, 4> tallies_of(const remote_write::Counts& counts) {
  std::array<std::uint32_t, 4> tallies{};
  tallies[remote_write::kFloats] = counts.floats;
  tallies[remote_write::kHistograms] = counts.histograms;
  tallies[remote_write::kExemplars] = counts.exemplars;
  tallies[remote_write::kMetadata] = counts.metadata;
  return tallies;
}

wal::NewRecord copy_of(const wal::StoredRecord& record) {
  return {*record.bytes, record.attributes};  // the envelope is room again, to be filled anew
}

// The records of one request. Intake has checked that every record decodes; should one not, the batch is cut
// at the borders of its records instead of its samples.
class ThanosLoad final : public forward::Load {
 public:
  ThanosLoad(const ThanosOptions& options, std::vector<wal::StoredRecord> records)
      : options_(options),
        records_(std::move(records)),
        version_(static_cast<Version>(records_.front().attributes.encoding)) {}

  std::uint64_t units() const override { return units_of_records(0, records_.size()); }
  std::size_t items() override { return decoded() ? message_->items() : records_.size(); }

  std::uint64_t units(Part part) override {
    if (part.whole()) return units();
    if (decoded()) return message_->units(part.first, part.last);
    return units_of_records(part.first, part.last);
  }

  Result<Outgoing> encode(Part part, std::uint32_t retry, const forward::Memory& memory) override {
    const Version version = versions_of(memory).only_v1 ? Version::v1 : version_;
    Result<Encoded> encoded = encode_as(part, version);
    if (encoded.has_error()) return encoded.error();
    Outgoing out;
    out.sent.units = encoded->units;
    out.sent.note = version;
    out.beside.stripped = encoded->stripped;
    out.request = request_of(options_, version, retry, std::move(encoded->body));
    return out;
  }

  std::vector<wal::NewRecord> carve(Part part) override {
    std::vector<wal::NewRecord> carved;
    if (part.whole() || !decoded()) {
      const std::size_t last = part.whole() ? records_.size() : part.last;
      for (std::size_t i = part.whole() ? 0 : part.first; i < last; ++i)
        carved.push_back(copy_of(records_[i]));
      return carved;
    }
    carved.push_back(slice(part));
    return carved;
  }

  std::string describe(Part part) override {
    return decoded() ? message_->describe(part.first) : std::string();
  }

 private:
  bool decoded() {
    if (!tried_) {
      tried_ = true;
      auto message = Message::decode(records_);
      if (message) message_ = std::move(*message);
    }
    return message_.has_value();
  }

  std::uint64_t units_of_records(std::size_t first, std::size_t last) const {
    std::uint64_t units = 0;
    for (std::size_t i = first; i < last; ++i) units += records_[i].attributes.units;
    return units;
  }

  Result<Encoded> encode_as(Part part, Version version) {
    const std::span<const wal::StoredRecord> all(records_);
    if (part.whole() && remote_write::passes_through(all, version, options_.external_labels)) {
      Result<Encoded> merged = remote_write::merge(all);
      if (merged) return merged;
    }
    if (decoded()) {
      if (part.whole()) part = {0, message_->items()};
      if (part.items() < 2) return message_->encode(part.first, part.last, version, options_.external_labels);
      return message_->encode_within(kMadeBytesMax, part.first, part.last, version, options_.external_labels);
    }
    // One record goes as it is, for the receiver to judge; several are not worth a guess.
    if (part.whole()) part = {0, records_.size()};
    if (part.items() > 1) return fail(Errc::bad_input, "a stored record does not decode");
    return remote_write::merge(all.subspan(part.first, 1));
  }

  wal::NewRecord slice(Part part) {
    Encoded encoded = message_->encode(part.first, part.last, version_, {});
    wal::NewRecord record;
    record.attributes = records_.front().attributes;
    record.attributes.flags = remote_write::kSorted;
    for (const auto& source : records_) {
      record.attributes.flags |=
          source.attributes.flags & (remote_write::kStartTimestamps | remote_write::kStaleMarkers);
      record.attributes.arrival_ms = std::min(record.attributes.arrival_ms, source.attributes.arrival_ms);
    }
    record.attributes.units = static_cast<std::uint32_t>(encoded.units);
    record.attributes.tallies = tallies_of(encoded.counts);
    record.attributes.oldest_ms = encoded.oldest_ms;
    record.attributes.newest_ms = encoded.newest_ms;
    const auto raw = remote_write::declared_size(encoded.body);
    invariant(raw.has_value(), "what we encode declares its size");
    record.attributes.raw_bytes = static_cast<std::uint32_t>(*raw);
    record.bytes.reserve(wal::kEnvelopeBytes + encoded.body.size());
    record.bytes.assign(wal::kEnvelopeBytes, '\0');
    record.bytes += encoded.body;
    return record;
  }

  const ThanosOptions& options_;
  const std::vector<wal::StoredRecord> records_;
  const Version version_;
  bool tried_ = false;
  std::optional<Message> message_;
};

}  // namespace

std::size_t ThanosDestination::plan(std::span<const wal::StoredRecord> records,
                                    const forward::RequestLimits& limits) const {
  return remote_write::mergeable(records, limits.units, limits.raw_bytes);
}

std::unique_ptr<forward::Load> ThanosDestination::load(std::vector<wal::StoredRecord> records) const {
  invariant(!records.empty(), "a request carries at least one record");
  return std::make_unique<ThanosLoad>(options_, std::move(records));
}

forward::Verdict ThanosDestination::classify(const forward::Sent& sent, const Result<http::Response>& answer,
                                             const forward::History& history,
                                             const forward::Memory& memory) const {
  return thanos::classify(sent, answer, history, versions_of(memory));
}

void ThanosDestination::learn(const forward::Sent& sent, const forward::Verdict& verdict,
                              forward::Memory& memory, Time) const {
  Versions versions = versions_of(memory);
  if (verdict.action == forward::Action::advance && version_of(sent) == Version::v2) versions.takes_v2 = true;
  if (verdict.action == forward::Action::downgrade) versions.only_v1 = true;
  memory = versions;
}

}  // namespace tideover::thanos
