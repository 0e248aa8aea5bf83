#include "forwarders/settlement.h"

#include <algorithm>
#include <utility>

#include "forwarders/reject_record.h"
#include "forwarders/side_lanes.h"
#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

void add(const SideCounts& counts, wal::Ack& ack) {
  ack.under_reported += counts.under_reported;
  ack.stripped += counts.stripped;
}

}  // namespace

void Settlement::begin(Seq first, Seq upto, bool begins_run) {
  ack_ = {};
  ack_.upto = upto;
  beside_.clear();
  if (begins_run || first != settled_upto_) run_begins_ = true;
}

void Settlement::passed(Part part, const SideCounts& beside) { beside_[part.first] = beside; }

void Settlement::reach(Seq upto, const SideCounts& beside, const Verdict& verdict) {
  ack_.upto = upto;
  add(beside, ack_);
  add(verdict.beside, ack_);
}

void Settlement::settle(const Step& step, Load& load) {
  const Part part = step.part;
  const Verdict& verdict = step.verdict;
  switch (step.fate) {
    case Fate::delivered:
      for (const Loss& loss : verdict.losses) {
        lose(loss.reason, loss.units);
        tell(Fate::rejected, verdict, loss.reason, loss.units);
      }
      if (!verdict.losses.empty()) bury(part, load, verdict, verdict.losses.front().reason);
      if (verdict.probable_duplicate) ack_.probable_duplicates += load.units(part);
      add(verdict.beside, ack_);
      add(beside_[part.first], ack_);
      return;
    case Fate::rejected:
      lose(verdict.reason, load.units(part));
      tell(Fate::rejected, verdict, verdict.reason, load.units(part));
      bury(part, load, verdict, verdict.reason);
      return;
    case Fate::parked:
      if (role_ != Role::parked) tell(Fate::parked, verdict, verdict.reason, load.units(part));
      divert(part, load, Role::parked, role_ == Role::quarantine);
      return;
    case Fate::quarantined:
      if (role_ != Role::quarantine) tell(Fate::quarantined, verdict, verdict.reason, load.units(part));
      divert(part, load, Role::quarantine, true);
      return;
  }
}

void Settlement::tell(Fate fate, const Verdict& verdict, wal::Reason reason, std::uint64_t units) {
  if (shared_.on_refusal) shared_.on_refusal({fate, reason, units, verdict.sentence});
}

void Settlement::lose(wal::Reason reason, std::uint64_t units) {
  if (units > 0) ack_.losses.push_back({reason, units});
}

// What goes to quarantine, or comes from there, was overtaken by its neighbours.
void Settlement::divert(Part part, Load& load, Role to, bool overtaken) {
  const Lane* lane = shared_.lanes.find(to);
  invariant(lane != nullptr, "nothing is set aside where there is no lane for it");
  for (wal::NewRecord& record : load.carve(part)) {
    record.attributes.flags = static_cast<std::uint16_t>(record.attributes.flags & ~kOvertaken);
    if (overtaken) record.attributes.flags |= kOvertaken;
    ack_.diverts.push_back({lane->id, std::move(record), true});
  }
}

// A copy for inspection. Where the receiver does not name what it refused, all of the part is kept.
void Settlement::bury(Part part, Load& load, const Verdict& verdict, wal::Reason reason) {
  RejectNote note;
  note.reason = wal::to_string(reason);
  note.destination = shared_.name;
  note.refused_ms = to_unix_ms(shared_.clock.wall_now());
  note.item = load.describe(part);
  note.sentence = verdict.sentence;
  for (const wal::NewRecord& record : load.carve(part)) {
    note.encoding = record.attributes.encoding;
    note.units = record.attributes.units;
    ack_.diverts.push_back({shared_.lanes.rejects(), reject_record(note, record), false});
  }
}

// What the main lane parks follows what was parked before it. What is put back to the end of its own lane is
// older than what it is put behind, unless that was put back just before it, and it followed that already.
void Settlement::mark_run() {
  const Lane* parked = shared_.lanes.find(Role::parked);
  if (parked == nullptr) return;
  const auto first = std::find_if(ack_.diverts.begin(), ack_.diverts.end(),
                                  [parked](const wal::Ack::Divert& d) { return d.to == parked->id; });
  if (first == ack_.diverts.end()) return;
  if (role_ == Role::parked) {
    if (run_begins_ || shared_.parked_last != Role::parked) first->record.attributes.flags |= kOvertaken;
    run_begins_ = false;
  }
  shared_.parked_last = role_;
}

wal::Ack Settlement::take() {
  mark_run();
  settled_upto_ = ack_.upto;
  return std::exchange(ack_, {});
}

}  // namespace tideover::forward
