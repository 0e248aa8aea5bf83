#include "tests/sim/oracle.h"

#include <algorithm>
#include <fmt/format.h>

#include "tests/sim/oracle_site.h"
#include "wal/base/invariant.h"
#include "wal/wal_format.h"

namespace tideover::sim {
namespace {

constexpr std::size_t kViolationsMax = 10;
constexpr std::size_t kNameShown = 120;  // of a series
constexpr Seq kNever{UINT64_MAX};

// Dead letters are copies for inspection: they keep nothing that is still to be delivered.
std::vector<test::Point> points_of(const wal::StoredRecord& record) {
  const auto version = static_cast<remote_write::Version>(record.attributes.encoding);
  if (version != remote_write::Version::v1 && version != remote_write::Version::v2) return {};
  return test::samples_of(test::snappy_plain(record.payload()), version);
}

enum Event : std::uint64_t { kOffered = 1, kAcknowledged, kCommitted, kReleased };

}  // namespace

Account& Account::operator+=(const Account& other) {
  offered = std::max(offered, other.offered);
  acknowledged += other.acknowledged;
  stored += other.stored;
  refused += other.refused;
  swallowed += other.swallowed;
  damaged += other.damaged;
  dropped += other.dropped;
  outstanding += other.outstanding;
  extra += other.extra;
  duplicates += other.duplicates;
  return *this;
}

Oracle::Oracle(std::string lane) : lane_name_(std::move(lane)), lane_(wal::lane_id(lane_name_)) {}
Oracle::~Oracle() = default;

std::size_t Oracle::SampleHash::operator()(const Sample& sample) const {
  Rng mix(sample.series ^ (static_cast<std::uint64_t>(sample.ts_ms) << 20) ^ sample.bits);
  return static_cast<std::size_t>(mix.next());
}

void Oracle::note(std::uint64_t value) { trace_ = Rng(trace_ ^ value).next(); }

void Oracle::violation(std::string sentence) {
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(sentence));
}

std::string Oracle::describe(const Sample& sample) const {
  const std::string_view name = names_.name(sample.series);
  return fmt::format("{} at {} value {:#x}", name.substr(0, kNameShown), sample.ts_ms, sample.bits);
}

void Oracle::check_not_lost(const Sample& sample, std::size_t d, std::string_view when) {
  const Fate& fate = fates_.at(sample);
  if (destinations_[d].open && fate.outstanding(d) && fate.debts[d].held == 0)
    violation(fmt::format("LOST for {} {}: {}", destinations_[d].name, when, describe(sample)));
}

// ---- sources ----

std::map<std::string, std::string> Oracle::abroad(std::map<std::string, std::string> labels) const {
  labels.insert(external_labels_.begin(), external_labels_.end());
  return labels;
}

void Oracle::offered(const test::Contents& contents) {
  for (const test::Point& point : contents.points) {
    const Sample sample = sample_of(point);
    const auto [fate, fresh] = fates_.try_emplace(sample);
    if (!fresh) continue;
    fate->second.rank = ++offered_order_[sample.series];
    fate->second.start_ms = point.start_ms;
    home_.try_emplace(names_.id(abroad(point.labels)), sample.series);
  }
  for (test::ExemplarPoint exemplar : contents.exemplars) {
    exemplar.series = abroad(std::move(exemplar.series));
    exemplars_.insert(std::move(exemplar));
  }
  for (const test::MetadataSpec& m : contents.metadata) metadata_.emplace(m.type, m.help, m.unit);
  for (const auto& [series, m] : contents.of_series) metadata_.emplace(m.type, m.help, m.unit);
  note(kOffered);
}

void Oracle::acknowledged(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    update(sample, [](Fate& fate) { fate.promised = true; });
    if (!fates_.at(sample).covered) violation("promised, and in no record on the disk: " + describe(sample));
    for (std::size_t d = 0; d < destinations_.size(); ++d)
      check_not_lost(sample, d, "when the source was told it is safe");
  }
  note(kAcknowledged);
}

// ---- operators ----

std::optional<std::size_t> Oracle::find(const std::string& name) const {
  for (std::size_t d = 0; d < destinations_.size(); ++d)
    if (destinations_[d].open && destinations_[d].name == name) return d;
  return std::nullopt;
}

void Oracle::serving(const std::vector<Promise>& promises, const Shares& shares) {
  shares_ = shares;
  for (Destination& destination : destinations_) {
    destination.configured = false;
    destination.required = false;
    if (!destination.durable) destination.open = false;  // nobody knows it, and it owes nothing yet
    const bool stays = std::ranges::find(promises, destination.name, &Promise::name) != promises.end();
    const Seq now = next(tails_[lane_]);
    const bool away = !destination.absences.empty() && destination.absences.back().until == kNever;
    if (away && stays) destination.absences.back().until = now;
    if (!away && !stays) destination.absences.push_back({now, kNever});
  }
  for (const Promise& promise : promises) {
    if (!find(promise.name)) open(promise);
    Destination& destination = destinations_[*find(promise.name)];
    destination.configured = true;
    destination.required = promise.required;
  }
}

// All from here on it needs: behind the last of its absences, or where it stands when that has passed them.
Seq Oracle::needed_from(const Destination& destination) const {
  const Seq place = destination.places.at(lane_);
  return destination.absences.empty() ? place : std::max(place, destination.absences.back().until);
}

void Oracle::open(const Promise& promise) {
  Destination destination;
  destination.name = promise.name;
  destination.from_oldest = promise.start == wal::StartAt::oldest;
  // `oldest`: what the others have not passed yet, for that is what is certainly there.
  Seq begin = next(tails_[lane_]);
  if (promise.start == wal::StartAt::oldest)
    for (const Destination& other : destinations_)
      if (other.open && other.durable) begin = std::min(begin, needed_from(other));
  destination.places[lane_] = begin;
  for (const std::string_view kind : {"parked", "quarantine"}) {
    const LaneId side = wal::lane_id(fmt::format("{}/{}/{}", lane_name_, kind, promise.name));
    destination.places[side] = next(tails_[side]);  // what is in it was given up with a former life
  }
  // The place of one that never became durable is free.
  const auto free = std::find_if(destinations_.begin(), destinations_.end(),
                                 [](const Destination& d) { return !d.open && !d.durable; });
  const auto d = static_cast<std::size_t>(free - destinations_.begin());
  if (free == destinations_.end())
    destinations_.emplace_back();
  else
    for (auto& [sample, fate] : fates_) fate.debts[d] = {};
  invariant(destinations_.size() <= kDestinationsMax, "a world has few destinations");
  destinations_[d] = std::move(destination);
  const auto& records = records_[lane_];
  for (auto it = records.lower_bound(begin); it != records.end(); ++it) cover(d, lane_, it->second);
}

// The oldest that exists may be older than what is certainly there.
void Oracle::born(std::size_t d, Seq at) {
  Destination& destination = destinations_[d];
  const Seq promised = destination.places.at(lane_);
  if (!destination.from_oldest || !(at < promised)) return;
  destination.places[lane_] = at;
  const auto& records = records_[lane_];
  for (auto it = records.lower_bound(at); it != records.lower_bound(promised); ++it)
    cover(d, lane_, it->second);
}

// An operator gave it up: it owes nothing any more.
void Oracle::close(std::size_t d) {
  destinations_[d].open = false;
  for (auto& [sample, fate] : fates_) {
    if (!fate.outstanding(d)) continue;
    fate.debts[d].dropped = true;
    --destinations_[d].outstanding;
  }
}

std::uint64_t Oracle::share_of(LaneId lane) const {
  if (lane == lane_) return shares_.lane;
  for (const Destination& destination : destinations_)
    if (lane == wal::lane_id(fmt::format("{}/parked/{}", lane_name_, destination.name)))
      return shares_.parked;
  return shares_.quarantine;
}

// ---- the disk ----

void Oracle::committed(const wal::StoreBatch& batch) {
  std::map<LaneId, Seq> fresh;  // the first of each lane
  for (const wal::StoreBatch::Put& record : batch.records) {
    fresh.try_emplace(record.lane, record.seq);
    put(record);
  }
  for (const auto& [key, value] : batch.meta) {
    const auto name = wal::parse_cursor_key(key);
    if (!name) continue;
    const auto d = find(name->cursor);
    if (!d) continue;
    const LaneId lane = wal::lane_id(name->lane);
    if (!destinations_[*d].places.contains(lane)) continue;  // dead letters
    if (value.empty()) {
      if (lane == lane_) close(*d);
      continue;
    }
    const auto state = wal::decode_cursor(value);
    if (!state) {
      violation("a cursor was committed that cannot be read");
      continue;
    }
    if (lane == lane_ && !std::exchange(destinations_[*d].durable, true)) born(*d, state->next);
    const auto first = fresh.find(lane);
    move(*d, lane, state->next, first == fresh.end() ? std::nullopt : std::optional(first->second));
    note_overtaken(*d, lane, state->next, state->overtaken_before);
  }
}

bool Oracle::owns(const Destination& destination, LaneId lane, Seq seq) const {
  if (seq < destination.places.at(lane)) return false;
  return lane != lane_ || std::ranges::none_of(destination.absences, [seq](const wal::SeqRange& absence) {
           return absence.from <= seq && seq < absence.until;
         });
}

void Oracle::put(const wal::StoreBatch::Put& record) {
  Held held;
  held.bytes = record.bytes->size();
  const auto stored = wal::open_envelope(record.bytes);
  if (!stored) return violation("a record was committed that does not match its checksum");
  for (const test::Point& point : points_of(*stored)) {
    const Sample sample = sample_of(point);
    if (!fates_.contains(sample)) {
      violation("a record holds what nobody sent: " + describe(sample));
      continue;
    }
    held.samples.push_back(sample);
  }
  for (std::size_t d = 0; d < destinations_.size(); ++d) {
    const auto place = destinations_[d].places.find(record.lane);
    if (destinations_[d].open && place != destinations_[d].places.end() &&
        owns(destinations_[d], record.lane, record.seq))
      cover(d, record.lane, held);
  }
  held_bytes_ += held.bytes;
  lane_bytes_[record.lane] += held.bytes;
  tails_[record.lane] = record.seq;
  records_[record.lane].emplace(record.seq, std::move(held));
  note(kCommitted ^ record.seq.value << 8 ^ std::uint64_t{record.lane.value} << 32);
}

void Oracle::cover(std::size_t d, LaneId lane, const Held& held) {
  const bool main = lane == lane_;
  if (main) destinations_[d].figures.accepted += held.samples.size();
  if (held.damaged) destinations_[d].figures.damaged += held.samples.size();
  for (const Sample& sample : held.samples) {
    update(sample, [&](Fate& fate) {
      fate.covered = true;
      Debt& debt = fate.debts[d];
      ++debt.held;
      if (main && debt.owed) debt.repeated = true;
      if (main && !fate.promised) debt.dropped = false;  // it is owed again
      debt.owed = true;
      if (!main) debt.sidelined = true;
      if (held.damaged) debt.damaged = true;
    });
  }
}

// A part that fails again and again is overtaken, and so may its neighbours be: knowingly, and only once the
// cursor says so on the disk.
void Oracle::note_overtaken(std::size_t d, LaneId lane, Seq from, Seq before) {
  const auto& records = records_[lane];
  for (auto it = records.lower_bound(from); it != records.end() && it->first < before; ++it)
    for (const Sample& sample : it->second.samples) fates_.at(sample).debts[d].overtaken = true;
}

// The cursor passes records: what is in them has arrived, was refused, or is kept elsewhere. Unless the
// destination may drop it: best effort, and more behind it than its share. `fresh`: the first record of the
// lane that this batch brought, of which nobody knew when the cursor moved.
void Oracle::move(std::size_t d, LaneId lane, Seq to, std::optional<Seq> fresh) {
  Seq& place = destinations_[d].places.at(lane);
  if (to < place) return violation(fmt::format("the cursor of {} moved back", destinations_[d].name));
  const auto& records = records_[lane];
  const auto begin = records.lower_bound(place);
  const auto end = records.lower_bound(to);
  std::vector<Sample> gone;
  for (auto it = begin; it != end; ++it)
    for (const Sample& sample : it->second.samples) {
      if (!owns(destinations_[d], lane, it->first)) continue;
      --fates_.at(sample).debts[d].held;
      gone.push_back(sample);
    }
  // Also of what was not promised yet: its source may repeat it while the destination is away, and is told
  // then that it is safe.
  const auto lost = [&](const Sample& sample) {
    const Debt& debt = fates_.at(sample).debts[d];
    return debt.owed && !debt.settled() && debt.held == 0;
  };
  if (std::any_of(gone.begin(), gone.end(), lost)) {
    std::uint64_t behind = 0;
    for (auto it = begin; it != records.end() && (!fresh || it->first < *fresh); ++it)
      behind += it->second.bytes;
    const bool best_effort = lane != lane_ || !destinations_[d].required;
    const std::uint64_t share = share_of(lane);
    // Below the floor a best-effort backlog does not grow, however small it is.
    const bool at_floor = below_floor_ && lane == lane_;
    const bool may_drop = best_effort && ((share > 0 && behind > share) || at_floor);
    for (const Sample& sample : gone) {
      if (!may_drop) {
        check_not_lost(sample, d, "when its cursor passed it");
      } else if (lost(sample)) {
        if (fates_.at(sample).promised) ++destinations_[d].figures.dropped;
        update(sample, [d](Fate& fate) { fate.debts[d].dropped = true; });
      }
    }
  }
  place = to;
}

void Oracle::released(LaneId lane, const wal::Released& released) {
  for (const Destination& destination : destinations_) {
    const auto place = destination.places.find(lane);
    if (!destination.open || !destination.durable || place == destination.places.end()) continue;
    const auto& there = records_[lane];
    for (auto it = there.lower_bound(place->second); it != there.end() && it->first < released.before; ++it)
      if (released.contains(it->first) && owns(destination, lane, it->first))
        violation(fmt::format("record {} of lane {} was given back, and {} needs it", it->first.value,
                              lane.value, destination.name));
  }
  auto& records = records_[lane];
  for (const wal::SeqRange& range : released.ranges()) {
    const auto begin = records.lower_bound(range.from);
    const auto end = records.lower_bound(range.until);
    for (auto it = begin; it != end; ++it) {
      held_bytes_ -= it->second.bytes;
      lane_bytes_[lane] -= it->second.bytes;
    }
    records.erase(begin, end);
  }
  note(kReleased ^ released.before.value << 8);
}

void Oracle::damaged(LaneId lane, Seq seq) {
  const auto found = records_[lane].find(seq);
  if (found == records_[lane].end() || found->second.damaged) return;  // given back, and not gone yet
  Held& held = found->second;
  held.damaged = true;
  for (std::size_t d = 0; d < destinations_.size(); ++d) {
    const auto place = destinations_[d].places.find(lane);
    if (!destinations_[d].open || place == destinations_[d].places.end() ||
        !owns(destinations_[d], lane, seq))
      continue;
    destinations_[d].figures.damaged += held.samples.size();
    for (const Sample& sample : held.samples)
      update(sample, [d](Fate& fate) { fate.debts[d].damaged = true; });
  }
}

std::optional<Seq> Oracle::any_intact_record(LaneId lane, Rng& chance) const {
  std::vector<Seq> intact;
  if (const auto records = records_.find(lane); records != records_.end())
    for (const auto& [seq, held] : records->second)
      if (!held.damaged) intact.push_back(seq);
  if (intact.empty()) return std::nullopt;
  return intact[chance.below(intact.size())];
}

// ---- sums ----

Account Oracle::account_of(std::size_t d) const {
  Account sum{.offered = fates_.size()};
  sum.duplicates += destinations_[d].duplicates;
  for (const auto& [sample, fate] : fates_) {
    const Debt& debt = fate.debts[d];
    if (!debt.owed) continue;
    if (fate.promised) ++sum.acknowledged;
    if (!fate.promised) {
      if (debt.stored) ++sum.extra;
    } else if (debt.stored) {
      ++sum.stored;
    } else if (debt.swallowed) {
      ++sum.swallowed;
    } else if (debt.damaged) {
      ++sum.damaged;
    } else if (debt.dropped) {
      ++sum.dropped;
    } else if (debt.refused) {
      ++sum.refused;
    } else {
      ++sum.outstanding;
    }
  }
  return sum;
}

Account Oracle::account(const std::string& destination) const {
  Account sum{.offered = fates_.size()};
  for (std::size_t d = 0; d < destinations_.size(); ++d)
    if (destinations_[d].name == destination) sum += account_of(d);
  return sum;
}

Account Oracle::account_of_open(const std::string& destination) const {
  const auto d = find(destination);
  return d ? account_of(*d) : Account{};
}

Account Oracle::account() const {
  Account sum{.offered = fates_.size()};
  std::set<std::string> names;
  for (const Destination& destination : destinations_)
    if (names.insert(destination.name).second) sum += account(destination.name);
  return sum;
}

bool Oracle::settled() const {
  return std::none_of(destinations_.begin(), destinations_.end(),
                      [](const Destination& d) { return d.open && d.configured && d.outstanding > 0; });
}

std::uint64_t Oracle::outstanding() const {
  std::uint64_t sum = 0;
  for (const Destination& destination : destinations_)
    if (destination.open && destination.configured) sum += destination.outstanding;
  return sum;
}

std::uint64_t Oracle::outstanding(const std::string& destination,
                                  const std::function<bool(const Sample&)>& which) const {
  const auto d = find(destination);
  if (!d) return 0;
  return static_cast<std::uint64_t>(std::count_if(fates_.begin(), fates_.end(), [&](const auto& entry) {
    return entry.second.outstanding(*d) && which(entry.first);
  }));
}

bool Oracle::remembers(const std::string& destination) const {
  const auto d = find(destination);
  return d && destinations_[*d].durable;
}

std::uint64_t Oracle::gone_by_damage(const std::string& destination) const {
  const auto d = find(destination);
  if (!d) return 0;
  return static_cast<std::uint64_t>(std::count_if(fates_.begin(), fates_.end(), [d](const auto& entry) {
    const Debt& debt = entry.second.debts[*d];
    return entry.second.promised && debt.damaged && debt.held == 0 && !debt.stored && !debt.refused &&
           !debt.swallowed && !debt.dropped;
  }));
}

const Oracle::Figures& Oracle::figures(const std::string& destination) const {
  static const Figures none;
  const auto d = find(destination);
  return d ? destinations_[*d].figures : none;
}

std::uint64_t Oracle::held_bytes(LaneId lane) const {
  const auto bytes = lane_bytes_.find(lane);
  return bytes == lane_bytes_.end() ? 0 : bytes->second;
}

}  // namespace tideover::sim
