#include "tests/sim/oracle_site.h"

#include <algorithm>
#include <fmt/format.h>

#include "wal/base/invariant.h"

namespace tideover::sim {
namespace {

enum Event : std::uint64_t { kSeen = 11, kStored, kRefused };

}  // namespace

Oracle::SiteId Oracle::add_site(std::string destination) {
  invariant(sites_.size() < kSitesMax, "a world has few receivers");
  sites_.push_back(std::make_unique<Site>(*this, sites_.size(), std::move(destination)));
  return sites_.size() - 1;
}

ReceiverWitness& Oracle::witness(SiteId site) { return *sites_.at(site); }

Sample Oracle::home(const Sample& sample) const {
  const auto found = home_.find(sample.series);
  return found == home_.end() ? sample : Sample{found->second, sample.ts_ms, sample.bits};
}

// Nothing arrives that nobody sent: exemplars, metadata and start timestamps included.
void Oracle::arrived(Site&, const test::Contents& contents, remote_write::Version version) {
  for (const test::Point& point : contents.points) {
    const auto fate = fates_.find(home(sample_of(point)));
    if (fate == fates_.end()) continue;  // seen() says so
    const bool kept = point.start_ms == fate->second.start_ms;
    const bool stripped = point.start_ms == 0 && version == remote_write::Version::v1;
    if (!kept && !stripped)
      violation(fmt::format("the start timestamp {} became {}: {}", fate->second.start_ms, point.start_ms,
                            describe(fate->first)));
  }
  for (const test::ExemplarPoint& exemplar : contents.exemplars)
    if (!exemplars_.contains(exemplar)) violation("an exemplar arrived that nobody sent");
  const auto check = [this](const test::MetadataSpec& m) {
    if (!metadata_.contains({m.type, m.help, m.unit})) violation("metadata arrived that nobody sent");
  };
  for (const test::MetadataSpec& m : contents.metadata) check(m);
  for (const auto& [series, m] : contents.of_series) check(m);
}

void Oracle::seen(Site& site, const Sample& arrived) {
  const bool labelled = external_labels_.empty() || home_.contains(arrived.series);
  const Sample sample = home(arrived);
  const auto found = fates_.find(sample);
  if (found == fates_.end() || !labelled) return violation("nobody sent " + describe(arrived));
  Fate& fate = found->second;
  const auto d = find(site.destination_);
  if (d && (fate.stored_at & site.bit()) != 0) ++destinations_[*d].duplicates;
  if ((fate.seen_at & site.bit()) != 0) return;
  // Skipped on the disk it may still come from memory, late; dropped to keep a budget it may still be on its
  // way; and what an earlier receiver of the same destination refused for its window waits beside the lane,
  // and is overtaken.
  const bool late = d && (fate.debts[*d].damaged || fate.debts[*d].dropped || fate.debts[*d].overtaken ||
                          (fate.debts[*d].sidelined && fate.seen_at != 0));
  fate.seen_at |= site.bit();
  if (late) return;
  std::uint64_t& newest = site.newest_seen_[sample.series];
  if (fate.rank < newest)
    violation(fmt::format("out of order at the receiver of {}: {}", site.destination_, describe(sample)));
  newest = std::max(newest, fate.rank);
  note(kSeen ^ sample.bits);
}

void Oracle::Site::stored(const Sample& arrived) {
  const Sample sample = oracle_.home(arrived);
  if (!oracle_.fates_.contains(sample)) return;
  const auto d = oracle_.find(destination_);
  oracle_.update(sample, [&](Fate& fate) {
    fate.stored_at |= bit();
    if (d) fate.debts[*d].stored = true;
  });
  oracle_.note(kStored ^ static_cast<std::uint64_t>(sample.ts_ms));
}

void Oracle::refused(Site& site, const Sample& arrived, Refused why) {
  const Sample sample = home(arrived);
  const auto d = find(site.destination_);
  if (!d || !fates_.contains(sample)) return;
  // Sources speak in order, so whoever hears "out of order" of a sample that is not stored has reordered it.
  // What is outside a window, or too large, may be taken tomorrow.
  const bool window = why == Refused::out_of_bounds || why == Refused::too_old || why == Refused::too_large;
  const bool is_final = !window && (why != Refused::out_of_order || unruly_.contains(sample.series));
  const Fate& known = fates_.at(sample);
  // A duplicate has another value at its time: if it was stored before, that was in a head that is lost.
  const bool for_order = why == Refused::out_of_order;
  const bool fresh = !for_order || (known.stored_at & site.bit()) == 0 || known.debts[*d].repeated;
  if (!window) ++destinations_[*d].figures.refusals;
  if (!window && fresh) ++destinations_[*d].figures.refusals_of_fresh;
  if (is_final) update(sample, [d](Fate& fate) { fate.debts[*d].refused = true; });
  note(kRefused ^ static_cast<std::uint64_t>(why) << 8);
}

void Oracle::Site::swallowed(const Sample& arrived) {
  const Sample sample = oracle_.home(arrived);
  const auto d = oracle_.find(destination_);
  if (!d || !oracle_.fates_.contains(sample)) return;
  oracle_.update(sample, [d](Fate& fate) { fate.debts[*d].swallowed = true; });
}

}  // namespace tideover::sim
