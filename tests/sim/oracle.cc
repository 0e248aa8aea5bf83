#include "tests/sim/oracle.h"

#include <fmt/format.h>

#include "wal/wal_format.h"

namespace tideover::sim {
namespace {

constexpr std::size_t kViolationsMax = 10;

// Dead letters are copies for inspection: they keep nothing that is still to be delivered.
std::vector<test::Point> points_of(const wal::StoredRecord& record) {
  const auto version = static_cast<remote_write::Version>(record.attributes.encoding);
  if (version != remote_write::Version::v1 && version != remote_write::Version::v2) return {};
  return test::samples_of(test::snappy_plain(record.payload()), version);
}

enum Event : std::uint64_t { kOffered = 1, kAcknowledged, kSeen, kStored, kRefused, kCommitted, kReleased };

}  // namespace

std::size_t Oracle::SampleHash::operator()(const Sample& sample) const {
  Rng mix(sample.series ^ (static_cast<std::uint64_t>(sample.ts_ms) << 20) ^ sample.bits);
  return static_cast<std::size_t>(mix.next());
}

void Oracle::note(std::uint64_t value) { trace_ = Rng(trace_ ^ value).next(); }

void Oracle::violation(std::string sentence) {
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(sentence));
}

std::string Oracle::describe(const Sample& sample) const {
  return fmt::format("{} at {} value {:#x}", names_.name(sample.series), sample.ts_ms, sample.bits);
}

template <class Change>
void Oracle::update(const Sample& sample, Change change) {
  Fate& fate = fates_[sample];
  if (fate.outstanding()) --outstanding_;
  change(fate);
  if (fate.outstanding()) ++outstanding_;
}

void Oracle::check_not_lost(const Sample& sample, std::string_view when) {
  const Fate& fate = fates_.at(sample);
  if (fate.outstanding() && fate.held == 0) violation(fmt::format("LOST {}: {}", when, describe(sample)));
}

void Oracle::offered(const test::Contents& contents) {
  for (const test::Point& point : contents.points) {
    const Sample sample = sample_of(point);
    const bool fresh = fates_.try_emplace(sample).second;
    if (fresh) rank_[sample] = ++offered_order_[sample.series];
  }
  note(kOffered);
}

void Oracle::acknowledged(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    update(sample, [](Fate& fate) { fate.promised = true; });
    check_not_lost(sample, "when the source was told it is safe");
  }
  note(kAcknowledged);
}

void Oracle::seen(const Sample& sample) {
  const auto found = fates_.find(sample);
  if (found == fates_.end()) return violation("nobody sent " + describe(sample));
  if (found->second.stored) ++duplicates_;
  if (found->second.seen) return;
  found->second.seen = true;
  if (found->second.damaged) return;  // skipped on the disk, it may still come from memory, late
  std::uint64_t& newest = newest_seen_[sample.series];
  if (rank_.at(sample) < newest) violation("out of order at the receiver: " + describe(sample));
  newest = std::max(newest, rank_.at(sample));
  note(kSeen ^ sample.bits);
}

void Oracle::stored(const Sample& sample) {
  update(sample, [](Fate& fate) { fate.stored = true; });
  note(kStored ^ static_cast<std::uint64_t>(sample.ts_ms));
}

void Oracle::refused(const Sample& sample, Refused why) {
  // Sources speak in order, so whoever hears "out of order" of a sample that is not stored has reordered it.
  const bool window = why == Refused::out_of_bounds || why == Refused::too_old;
  const bool is_final = !window && (why != Refused::out_of_order || unruly_.contains(sample.series));
  if (!window) ++refusals_;
  if (is_final) update(sample, [](Fate& fate) { fate.refused = true; });
  note(kRefused ^ static_cast<std::uint64_t>(why) << 8);
}

void Oracle::swallowed(const Sample& sample) {
  update(sample, [](Fate& fate) { fate.swallowed = true; });
}

void Oracle::committed(const wal::StoreBatch& batch) {
  for (const wal::StoreBatch::Put& put : batch.records) {
    Held held;
    held.bytes = put.bytes->size();
    const auto record = wal::open_envelope(put.bytes);
    if (!record) {
      violation("a record was committed that does not match its checksum");
      continue;
    }
    for (const test::Point& point : points_of(*record)) {
      const Sample sample = sample_of(point);
      if (!fates_.contains(sample)) violation("a record holds what nobody sent: " + describe(sample));
      update(sample, [](Fate& fate) { ++fate.held; });
      held.samples.push_back(sample);
    }
    if (put.lane == intake_lane_) accepted_units_ += held.samples.size();
    held_bytes_ += held.bytes;
    records_.emplace(std::pair(put.lane, put.seq), std::move(held));
    note(kCommitted ^ put.seq.value << 8);
  }
}

void Oracle::released(LaneId lane, Seq before) {
  const auto begin = records_.lower_bound({lane, Seq{0}});
  const auto end = records_.lower_bound({lane, before});
  for (auto it = begin; it != end; ++it) {
    held_bytes_ -= it->second.bytes;
    for (const Sample& sample : it->second.samples) {
      --fates_.at(sample).held;
      check_not_lost(sample, "when its record was given up");
    }
  }
  records_.erase(begin, end);
  note(kReleased ^ before.value << 8);
}

void Oracle::damaged(LaneId lane, Seq seq) {
  Held& held = records_.at({lane, seq});
  held.damaged = true;
  damaged_units_ += held.samples.size();
  for (const Sample& sample : held.samples) update(sample, [](Fate& fate) { fate.damaged = true; });
}

std::optional<Seq> Oracle::any_intact_record(LaneId lane, Rng& chance) const {
  std::vector<Seq> intact;
  for (auto it = records_.lower_bound({lane, Seq{0}}); it != records_.end() && it->first.first == lane; ++it)
    if (!it->second.damaged) intact.push_back(it->first.second);
  if (intact.empty()) return std::nullopt;
  return intact[chance.below(intact.size())];
}

Account Oracle::account() const {
  Account sum{.offered = fates_.size(), .duplicates = duplicates_};
  for (const auto& [sample, fate] : fates_) {
    if (fate.promised) ++sum.acknowledged;
    if (!fate.promised) {
      if (fate.stored) ++sum.extra;
    } else if (fate.stored) {
      ++sum.stored;
    } else if (fate.swallowed) {
      ++sum.swallowed;
    } else if (fate.damaged) {
      ++sum.damaged;
    } else if (fate.refused) {
      ++sum.refused;
    } else {
      ++sum.outstanding;
    }
  }
  return sum;
}

}  // namespace tideover::sim
