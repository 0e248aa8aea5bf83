#include "tests/support/loki_ingester.h"

#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tideover::test {
namespace {

constexpr std::int64_t kNanos = 1'000'000'000;

// 2026-10-07 01:35:32.405 +0000 UTC
std::string go_time(std::int64_t ns) {
  std::string fraction = fmt::format("{:09}", ns % kNanos);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (!fraction.empty()) fraction.insert(0, ".");
  return fmt::format("{:%Y-%m-%d %H:%M:%S}{} +0000 UTC", fmt::gmtime(ns / kNanos), fraction);
}

std::string go_bytes(double n) {
  return n < 1024 ? fmt::format("{}B", n) : fmt::format("{}KB", static_cast<std::uint64_t>(n) / 1024);
}

std::string over_rate(const LokiEntry& entry, const std::string& labels, const LokiLimits& limits) {
  return fmt::format(
      "Per stream rate limit exceeded (limit: {}/sec) while attempting to ingest for stream '{}' totaling "
      "{}, "
      "consider splitting a stream via additional labels or contact your Loki administrator to see if the "
      "limit "
      "can be increased",
      go_bytes(limits.per_stream_rate_limit), labels, go_bytes(static_cast<double>(loki_bytes(entry))));
}

}  // namespace

std::size_t loki_bytes(const LokiEntry& entry) {
  std::size_t bytes = entry.line.size();
  for (const auto& [name, value] : entry.metadata) bytes += name.size() + value.size();
  return bytes;
}

std::string loki_time(std::int64_t ns) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(ns / kNanos));
}

// pkg/ingester/flush.go: what was idle is flushed, and a stream without chunks forgets its newest.
void LokiIngester::drop_idle(Streams& streams, const LokiLimits& limits, std::int64_t now_ns) {
  std::erase_if(streams,
                [&](const auto& stream) { return now_ns - stream.second.touched_ns > limits.stream_idle; });
}

std::size_t LokiIngester::streams(const std::string& tenant, const LokiLimits& limits, std::int64_t now_ns) {
  Streams& streams = tenants_[tenant];
  drop_idle(streams, limits, now_ns);
  return streams.size();
}

LokiStreamFate LokiIngester::push(const std::string& tenant, const std::string& labels,
                                  const std::vector<LokiEntry>& entries, const LokiLimits& limits,
                                  std::int64_t now_ns) {
  Streams& streams = tenants_[tenant];
  drop_idle(streams, limits, now_ns);
  if (!streams.contains(labels)) {
    const std::size_t most = std::max<std::size_t>(1, limits.max_global_streams_per_user / limits.ingesters);
    if (streams.size() >= most) {
      LokiStreamFate fate;
      fate.status = 429;
      fate.text = fmt::format(
          "maximum active stream limit exceeded when trying to create stream {}, reduce the number of active "
          "streams (reduce labels or reduce label values), or contact your Loki administrator to see if the "
          "limit "
          "can be increased, user: '{}'",
          labels, tenant);
      fate.discarded["stream_limit"] = entries.size();
      return fate;
    }
    streams[labels].touched_ns = now_ns;
  }
  return append(streams[labels], tenant, labels, entries, limits, now_ns);
}

LokiStreamFate LokiIngester::append(Stream& stream, const std::string& tenant, const std::string& labels,
                                    const std::vector<LokiEntry>& entries, const LokiLimits& limits,
                                    std::int64_t now_ns) {
  LokiStreamFate fate;
  std::vector<Failure> failures;
  std::vector<const LokiEntry*> valid;
  const LokiEntry* last = stream.has_last ? &stream.last : nullptr;
  std::int64_t highest = stream.highest_ns;
  double bytes = 0;
  const auto allow = [&](double n) {
    return stream.rate.allow(now_ns, n, limits.per_stream_rate_limit, limits.per_stream_rate_limit_burst);
  };
  for (const LokiEntry& entry : entries) {
    // The line that came last, again: across blocks and chunks, but not across an idle time.
    if (last != nullptr && entry == *last) {
      ++fate.duplicates;
      continue;
    }
    if (!limits.shard_streams && !allow(static_cast<double>(loki_bytes(entry)))) {
      failures.push_back({&entry, true, over_rate(entry, labels, limits)});
      continue;
    }
    if (highest != 0 && entry.ns < highest - limits.window) {
      failures.push_back(
          {&entry, false,
           fmt::format("entry too far behind, entry timestamp is: {}, oldest acceptable timestamp "
                       "is: {}",
                       loki_time(entry.ns), loki_time(highest - limits.window))});
      continue;
    }
    bytes += static_cast<double>(loki_bytes(entry));
    last = &entry;
    highest = std::max(highest, entry.ns);
    valid.push_back(&entry);
  }
  // All or nothing: what it says is then all about the rate, though some was too far behind.
  const bool whole = limits.shard_streams && !allow(bytes);
  if (whole) {
    fate.discarded["too_far_behind"] += failures.size();
    failures.clear();
    for (const LokiEntry* entry : valid) failures.push_back({entry, true, over_rate(*entry, labels, limits)});
    valid.clear();
  }
  for (const LokiEntry* entry : valid) store(stream, *entry, limits, fate);
  if (!fate.stored.empty()) stream.touched_ns = now_ns;
  for (const Failure& failure : failures)
    ++fate.discarded[failure.rate ? "per_stream_rate_limit" : "too_far_behind"];
  std::erase_if(fate.discarded, [](const auto& reason) { return reason.second == 0; });
  if (failures.empty()) return fate;
  fate.status = failures.back().rate ? 429 : 400;
  for (std::size_t i = 0; i < std::min(failures.size(), limits.max_returned_stream_errors); ++i)
    fate.text += fmt::format("entry with timestamp {} ignored, reason: '{}',\n",
                             go_time(failures[i].entry->ns), failures[i].why);
  fate.text += fmt::format("user '{}', total ignored: {} out of {} for stream: {}", tenant, failures.size(),
                           entries.size(), labels);
  return fate;
}

// pkg/chunkenc/unordered.go: what the block under way holds already is not stored again; the real one
// compares metadata, too.
void LokiIngester::store(Stream& stream, const LokiEntry& entry, const LokiLimits& limits,
                         LokiStreamFate& fate) {
  stream.last = entry;
  stream.has_last = true;
  stream.highest_ns = std::max(stream.highest_ns, entry.ns);
  if (!stream.block.emplace(entry.ns, entry.line, entry.metadata).second) {
    ++fate.duplicates;
    return;
  }
  fate.stored.push_back(entry);
  stream.block_bytes += entry.line.size() + entry.metadata.size() * 8;
  if (stream.block_bytes < limits.chunk_block_size) return;
  stream.block.clear();
  stream.block_bytes = 0;
}

}  // namespace tideover::test
