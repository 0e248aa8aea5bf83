#include "agent/tail/gathering.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "forwarders/loki/log_record.h"

namespace tideover::tail {

void Gathering::begin(const Streams& streams) {
  streams_ = &streams;
  one_ = streams[0] == streams[1];
  begun_ = {};
  tally_ = {};
}

void Gathering::line(const TailedLine& line) {
  const auto output = static_cast<std::size_t>(line.output);
  const Stream& stream = (*streams_)[output];
  ++tally_.lines;
  if (line.foreign) ++tally_.foreign;
  if (line.cut_bytes != 0) ++tally_.cut;
  if (stream.dropped) {
    ++tally_.dropped;
    return;
  }
  ++tally_.spooled;
  const std::size_t at = one_ ? 0 : output;
  loki::PushWriter& writer = writers_[at];
  if (!begun_[at]) writer.stream(stream.labels);
  begun_[at] = true;
  if (line.cut_bytes == 0) {
    writer.entry(line.time_ns, line.text, std::string_view());
    return;
  }
  const std::string missing = fmt::format("{}", line.cut_bytes);
  const loki::Pair pair{kCutBytes, missing};
  writer.entry(line.time_ns, line.text, {&pair, 1});
}

Tally Gathering::end() {
  streams_ = nullptr;
  return tally_;
}

std::optional<wal::NewRecord> Gathering::take(std::int64_t arrival_ms) {
  loki::PushFacts facts;
  for (const loki::PushWriter& writer : writers_) {
    if (writer.entries() == 0) continue;
    facts.oldest_ns = facts.entries == 0 ? writer.oldest_ns() : std::min(facts.oldest_ns, writer.oldest_ns());
    facts.newest_ns = facts.entries == 0 ? writer.newest_ns() : std::max(facts.newest_ns, writer.newest_ns());
    facts.entries += writer.entries();
  }
  // Two messages one after the other are one that has the fields of both.
  std::string push = writers_[0].take();
  push += writers_[1].take();
  if (facts.entries == 0) return std::nullopt;
  return loki::push_record(push, facts, arrival_ms);
}

}  // namespace tideover::tail
