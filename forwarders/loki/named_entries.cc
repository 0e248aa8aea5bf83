#include "forwarders/loki/named_entries.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "forwarders/loki/push_fields.h"
#include "forwarders/loki/push_scan.h"

namespace tideover::loki {
namespace {

using forward::Part;

// A stream of the push, and where its entries begin among the items.
struct Place {
  const StreamPart* part = nullptr;
  std::size_t first = 0;

  std::size_t count() const { return part->last - part->first; }
  const PushEntry& entry(std::size_t i) const { return part->stream->entries[part->first + i]; }
};

template <class Is>
std::optional<Place> the_only(const SentPush& push, Is is) {
  std::optional<Place> found;
  std::size_t first = 0;
  for (const StreamPart& part : push.streams) {
    if (is(part)) {
      if (found) return std::nullopt;
      found = Place{&part, first};
    }
    first += part.last - part.first;
  }
  return found;
}

std::optional<Place> place_of(const SentPush& push, const std::optional<StreamName>& name) {
  if (!name) return std::nullopt;
  return the_only(push,
                  [&name](const StreamPart& part) { return StreamName::of(part.stream->labels) == name; });
}

std::vector<Part> whole(const Place& place) { return {{place.first, place.first + place.count()}}; }

// Those of a stream for which `is`, in runs.
template <class Is>
std::vector<Part> those(const Place& place, Is is) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < place.count(); ++i) {
    if (!is(place.entry(i))) continue;
    const std::size_t item = place.first + i;
    if (!parts.empty() && parts.back().last == item)
      parts.back().last = item + 1;
    else
      parts.push_back({item, item + 1});
  }
  return parts;
}

std::uint64_t count(const std::vector<Part>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Part& part) { return sum + part.items(); });
}

NamedEntries exactly(std::vector<Part> parts, std::uint64_t refused) {
  if (parts.empty() || count(parts) != refused) return std::nullopt;
  return parts;
}

// The answer names whole seconds; of one second some entries may lie within the window.
NamedEntries of_a_second(const Place& place, const Clause& clause) {
  const auto second = [](std::int64_t ns) { return floor_div(ns, kNanosPerSecond); };
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < place.count(); ++i)
    if (const std::int64_t ns = place.entry(i).ns; second(ns) == second(*clause.ns)) times.push_back(ns);
  if (times.size() < clause.times || clause.times == 0) return std::nullopt;
  std::sort(times.begin(), times.end());
  const bool old = clause.cause == Cause::too_old;
  const std::int64_t edge = times[old ? clause.times - 1 : times.size() - clause.times];
  return exactly(those(place,
                       [&](const PushEntry& entry) {
                         return second(entry.ns) == second(edge) &&
                                (old ? entry.ns <= edge : entry.ns >= edge);
                       }),
                 clause.times);
}

}  // namespace

NamedEntries stream_entries(const SentPush& push, const std::optional<StreamName>& name) {
  const auto place = place_of(push, name);
  if (!place) return std::nullopt;
  return whole(*place);
}

NamedEntries entries_of(const SentPush& push, const Clause& clause) {
  if (clause.cause == Cause::unparsable) {  // what cannot be parsed is quoted as it came, or not at all
    if (push.streams.size() == 1) return whole({&push.streams.front(), 0});
    const auto place = the_only(push, [&clause](const StreamPart& part) {
      return clause.text.find(part.stream->labels) != clause.text.npos;
    });
    if (!place) return std::nullopt;
    return whole(*place);
  }
  // Of a stream without labels there is nothing to quote.
  const bool nameless = clause.cause == Cause::labels && !clause.stream && push.streams.size() == 1;
  const auto place =
      nameless ? std::optional(Place{&push.streams.front(), 0}) : place_of(push, clause.stream);
  if (!place) return std::nullopt;
  switch (clause.cause) {
    case Cause::too_old:
    case Cause::too_new: return clause.ns ? of_a_second(*place, clause) : std::nullopt;
    case Cause::line_size:
      return exactly(those(*place, [&](const PushEntry& entry) { return entry.line.size() == clause.size; }),
                     clause.times);
    case Cause::metadata_size:
      return exactly(those(*place,
                           [&](const PushEntry& entry) {
                             return size_of_metadata(entry.metadata).bytes == clause.size;
                           }),
                     clause.times);
    case Cause::metadata_count:
      return exactly(those(*place,
                           [&](const PushEntry& entry) {
                             return size_of_metadata(entry.metadata).pairs == clause.size;
                           }),
                     clause.times);
    case Cause::metadata_off:
      return exactly(those(*place, [](const PushEntry& entry) { return !entry.metadata.empty(); }),
                     clause.times);
    case Cause::labels:
    case Cause::required_labels: return whole(*place);
    case Cause::unparsable:
    case Cause::behind:
    case Cause::stream_rate:
    case Cause::unknown: break;
  }
  return std::nullopt;
}

bool speaks_of_whole_push(const SentPush& push, const StreamRefusal& refusal) {
  const auto place = place_of(push, refusal.stream);
  return place && push.streams.size() == 1 && place->count() == refusal.total;
}

NamedEntries ignored_entries(const SentPush& push, const StreamRefusal& refusal) {
  const auto place = place_of(push, refusal.stream);
  if (!place || refusal.listed.empty() || refusal.ignored == 0) return std::nullopt;
  if (refusal.ignored == refusal.total && refusal.total == place->count()) return whole(*place);
  const auto listed = [&refusal](std::int64_t ns) {
    return std::any_of(refusal.listed.begin(), refusal.listed.end(),
                       [ns](const StreamRefusal::Entry& entry) { return entry.ns == ns; });
  };
  if (refusal.listed.size() == refusal.ignored)
    return exactly(those(*place, [&](const PushEntry& entry) { return listed(entry.ns); }), refusal.ignored);
  // Only the first ones are listed. Behind are the oldest, as long as those that are listed are among them.
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < place->count(); ++i) times.push_back(place->entry(i).ns);
  if (times.size() < refusal.ignored) return std::nullopt;
  std::sort(times.begin(), times.end());
  const std::int64_t edge = times[refusal.ignored - 1];
  if (std::any_of(refusal.listed.begin(), refusal.listed.end(),
                  [edge](const StreamRefusal::Entry& entry) { return entry.ns > edge; }))
    return std::nullopt;
  return exactly(those(*place, [edge](const PushEntry& entry) { return entry.ns <= edge; }), refusal.ignored);
}

NamedEntries waiting_entries(const SentPush& push, const StreamRefusal& refusal) {
  const auto place = place_of(push, refusal.stream);
  if (!place) return std::nullopt;
  std::size_t first = place->count();
  for (std::size_t i = 0; i < place->count() && first == place->count(); ++i)
    if (!refusal.listed.empty() && place->entry(i).ns == refusal.listed.front().ns) first = i;
  if (first == place->count() || refusal.ignored == refusal.total) first = 0;
  return std::vector<Part>{{place->first + first, place->first + place->count()}};
}

}  // namespace tideover::loki
