#include "agent/ingest/loki/sift.h"

#include <fmt/format.h>
#include <optional>

#include "forwarders/loki/push_scan.h"
#include "forwarders/loki/push_writer.h"

namespace tideover::ingest::loki {
namespace {

using tideover::loki::PushEntry;
using tideover::loki::PushReader;
using tideover::loki::PushWriter;

class Sieve {
 public:
  Sieve(std::int64_t now_ms, const Limits& limits, std::uint64_t record_bytes_max)
      : now_ms_(now_ms), limits_(limits), record_bytes_max_(record_bytes_max) {}

  // Errors: as sift().
  Result<> stream(std::string_view labels) {
    ++sifted_.streams;
    const Result<std::vector<Label>> parsed = tideover::loki::parse_labels(labels);
    if (!parsed) return parsed.error();
    name_ = tideover::loki::label_string(*parsed);
    stream_fault_ = stream_fault(*parsed, name_, limits_);
    bytes_ += name_.size();
    if (!stream_fault_) writer_.stream(name_);
    return room();
  }

  void entry(const PushEntry& entry) {
    if (stream_fault_) {
      const bool named = sifted_.faults.wants_sentence(sifted_.streams, stream_fault_->why);
      sifted_.faults.add(sifted_.streams, stream_fault_->why, named ? stream_fault_->sentence : "");
      return;
    }
    if (const std::optional<Why> why = entry_fault(entry, now_ms_, limits_)) {
      std::string sentence;
      if (sifted_.faults.wants_sentence(sifted_.streams, *why))
        sentence = entry_sentence(*why, entry, name_, now_ms_, limits_);
      sifted_.faults.add(sifted_.streams, *why, std::move(sentence));
      return;
    }
    if (writer_.bytes() >= record_bytes_max_) {
      keep();
      writer_.stream(name_);
    }
    writer_.entry(entry.ns, entry.line, entry.metadata);
  }

  Sifted take() {
    keep();
    return std::move(sifted_);
  }

 private:
  // Labels may grow in their one form; what they grow to is bounded as what was received is.
  Result<> room() const {
    if (bytes_ <= kDecodedBytesMax) return {};
    return fail(Errc::too_large,
                fmt::format("the labels of the streams are longer than {} bytes", kDecodedBytesMax));
  }

  void keep() {
    Kept kept{{}, writer_.entries(), writer_.oldest_ns(), writer_.newest_ns()};
    kept.message = writer_.take();
    if (kept.entries > 0) sifted_.kept.push_back(std::move(kept));
  }

  const std::int64_t now_ms_;
  const Limits& limits_;
  const std::uint64_t record_bytes_max_;
  std::string name_;
  std::optional<Fault> stream_fault_;
  std::uint64_t bytes_ = 0;  // of all names
  PushWriter writer_;
  Sifted sifted_;
};

}  // namespace

std::uint64_t Sifted::entries() const {
  std::uint64_t sum = 0;
  for (const Kept& part : kept) sum += part.entries;
  return sum;
}

Result<Sifted> sift(std::string_view raw, std::int64_t now_ms, const Limits& limits,
                    std::uint64_t record_bytes_max) {
  Sieve sieve(now_ms, limits, record_bytes_max);
  PushReader reader(raw);
  PushEntry entry;
  while (reader.next_stream()) {
    if (const Result<> begun = sieve.stream(reader.labels()); !begun) return begun.error();
    while (reader.next_entry(entry)) sieve.entry(entry);
  }
  if (reader.broken())
    return fail(Errc::bad_input, "the body is not a push request: it cannot be read at " + reader.where());
  return sieve.take();
}

}  // namespace tideover::ingest::loki
