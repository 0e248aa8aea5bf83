#include "forwarders/loki/loki_destination.h"

#include <algorithm>
#include <any>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "forwarders/loki/batch.h"
#include "forwarders/loki/classify.h"
#include "forwarders/loki/log_record.h"
#include "forwarders/loki/sent.h"
#include "forwarders/remote_write/snappy.h"
#include "wal/base/invariant.h"

namespace tideover::loki {
namespace {

using forward::Outgoing;
using forward::Part;

http::Request request_of(const LokiOptions& options, std::string body) {
  http::Request request;
  request.method = "POST";
  request.target = options.target;
  request.headers.add("Content-Type", "application/x-protobuf");
  request.headers.add("User-Agent", options.user_agent);
  if (!options.tenant.empty()) request.headers.add("X-Scope-OrgID", options.tenant);
  for (const auto& [name, value] : options.headers.fields())
    if (!request.headers.has(name)) request.headers.add(name, value);
  request.body = std::move(body);
  return request;
}

Candidate candidate(const BatchStream& stream) {
  return {stream.hash, stream.bytes, stream.oldest_ns, stream.newest_ns};
}

// What a push held of it; its entries need not be in order.
Candidate candidate(const StreamPart& part) {
  Candidate sent{part.stream->hash, 0, part.stream->entries[part.first].ns,
                 part.stream->entries[part.first].ns};
  for (std::size_t i = part.first; i < part.last; ++i) {
    const PushEntry& entry = part.stream->entries[i];
    sent.bytes += entry.line.size() + entry.metadata.size();
    sent.oldest_ns = std::min(sent.oldest_ns, entry.ns);
    sent.newest_ns = std::max(sent.newest_ns, entry.ns);
  }
  return sent;
}

const Standing& standing_of(const forward::Memory& memory) {
  static const Standing kNothingKnown;
  const auto* standing = std::any_cast<Standing>(&memory);
  return standing == nullptr ? kNothingKnown : *standing;
}

// Intake and tailing have made every record; should one not decode all the same, it goes as it is, alone.
class LokiLoad final : public forward::Load {
 public:
  LokiLoad(const LokiOptions& options, std::vector<wal::StoredRecord> records)
      : options_(options), records_(std::move(records)) {}

  std::uint64_t units() const override { return units_of_records(0, records_.size()); }
  std::size_t items() override { return decoded() ? batch_->items() : records_.size(); }
  std::uint64_t units(Part part) override {
    if (part.whole()) return units();
    return decoded() ? part.items() : units_of_records(part.first, part.last);
  }

  // Asked at each send: what was sure a moment ago is not any more once the receiver has refused something.
  // The order of the streams is settled when the batch is asked for whole; from then on a part is cut behind
  // each stream that is not sure.
  std::vector<std::size_t> borders(Part part, const forward::Memory& memory, Time now) override {
    if (!decoded()) return {};
    const Standing& standing = standing_of(memory);
    if (part.whole()) {
      arrange(standing, now);
      part = {0, batch_->items()};
    }
    std::vector<std::size_t> ends;
    std::size_t end = part.first;
    bool cut = false;
    for (const StreamPart& piece : batch_->streams_of(part)) {
      if (cut) ends.push_back(end);
      end += piece.last - piece.first;
      cut = !standing.sure(candidate(piece), now);
    }
    if (!ends.empty()) ends.push_back(end);
    return ends;
  }

  Result<Outgoing> encode(Part part, std::uint32_t retry, const forward::Memory&) override {
    Outgoing out;
    if (!decoded()) {
      if (part.whole()) part = {0, records_.size()};
      if (part.items() > 1) return fail(Errc::bad_input, "a stored record does not decode");
      out.sent.units = records_[part.first].attributes.units;
      out.sent.note = SentPush{nullptr, {}, retry};
      out.request = request_of(options_, std::string(records_[part.first].payload()));
      return out;
    }
    const Part items = part.whole() ? Part{0, batch_->items()} : part;
    out.sent.units = items.items();
    out.sent.note = SentPush{batch_, batch_->streams_of(items), retry};
    out.request = request_of(options_, body_of(items));
    return out;
  }

  std::vector<wal::NewRecord> carve(Part part) override {
    std::vector<wal::NewRecord> carved;
    if (!decoded()) {
      const std::size_t last = part.whole() ? records_.size() : part.last;
      for (std::size_t i = part.whole() ? 0 : part.first; i < last; ++i)
        carved.push_back({*records_[i].bytes, records_[i].attributes});
      return carved;
    }
    carved.push_back(slice(part.whole() ? Part{0, batch_->items()} : part));
    return carved;
  }

  std::string describe(Part part) override {
    if (!decoded()) return {};
    const StreamPart item = batch_->streams_of({part.first, part.first + 1}).front();
    return fmt::format("{} at {} ns", item.stream->labels, item.stream->entries[item.first].ns);
  }

 private:
  void arrange(const Standing& standing, Time now) {
    std::vector<Candidate> candidates;
    candidates.reserve(batch_->streams().size());
    for (const BatchStream& stream : batch_->streams()) candidates.push_back(candidate(stream));
    const std::vector<std::size_t> order = standing.order(candidates, now);
    if (std::is_sorted(order.begin(), order.end())) return;
    batch_->arrange(order);
    as_it_came_ = false;
  }

  bool decoded() {
    if (!tried_) {
      tried_ = true;
      auto batch = Batch::decode(records_);
      if (batch) batch_ = std::make_shared<Batch>(std::move(*batch));
    }
    return batch_ != nullptr;
  }

  std::uint64_t units_of_records(std::size_t first, std::size_t last) const {
    std::uint64_t units = 0;
    for (std::size_t i = first; i < last; ++i) units += records_[i].attributes.units;
    return units;
  }

  std::string body_of(Part items) const {
    if (records_.size() == 1 && as_it_came_ && items.items() == batch_->items())
      return std::string(records_.front().payload());
    std::string body;
    remote_write::compress(batch_->push(items), body);
    return body;
  }

  wal::NewRecord slice(Part items) const {
    std::int64_t arrival_ms = records_.front().attributes.arrival_ms;
    for (const wal::StoredRecord& source : records_)
      arrival_ms = std::min(arrival_ms, source.attributes.arrival_ms);
    PushFacts facts{static_cast<std::uint32_t>(items.items()), std::numeric_limits<std::int64_t>::max(),
                    std::numeric_limits<std::int64_t>::min()};
    for (const StreamPart& part : batch_->streams_of(items)) {
      const Candidate held = candidate(part);
      facts.oldest_ns = std::min(facts.oldest_ns, held.oldest_ns);
      facts.newest_ns = std::max(facts.newest_ns, held.newest_ns);
    }
    return push_record(batch_->push(items), facts, arrival_ms);
  }

  const LokiOptions& options_;
  const std::vector<wal::StoredRecord> records_;
  std::shared_ptr<Batch> batch_;
  bool tried_ = false;
  bool as_it_came_ = true;
};

}  // namespace

std::size_t LokiDestination::plan(std::span<const wal::StoredRecord> records,
                                  const forward::RequestLimits& limits) const {
  std::uint64_t units = 0;
  std::uint64_t bytes = 0;
  std::size_t n = 0;
  for (const wal::StoredRecord& record : records) {
    units += record.attributes.units;
    bytes += record.attributes.raw_bytes;
    if (n > 0 && (units > limits.units || bytes > limits.raw_bytes)) break;
    ++n;
  }
  return n;
}

std::unique_ptr<forward::Load> LokiDestination::load(std::vector<wal::StoredRecord> records) const {
  invariant(!records.empty(), "a push carries at least one record");
  return std::make_unique<LokiLoad>(options_, std::move(records));
}

forward::Verdict LokiDestination::classify(const forward::Sent& sent, const Result<http::Response>& answer,
                                           const forward::History& history, const forward::Memory&) const {
  return loki::classify(sent, answer, history);
}

void LokiDestination::learn(const forward::Sent& sent, const forward::Verdict& verdict,
                            forward::Memory& memory, Time now) const {
  auto* standing = std::any_cast<Standing>(&memory);
  if (verdict.action != forward::Action::advance || !verdict.losses.empty()) {
    if (standing != nullptr) standing->doubt();
    return;
  }
  if (standing == nullptr) standing = &memory.emplace<Standing>(options_.standing);
  std::vector<Candidate> streams;
  for (const StreamPart& part : push_of(sent).streams) streams.push_back(candidate(part));
  standing->stored(streams, now);
}

}  // namespace tideover::loki
