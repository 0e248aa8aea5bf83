#include "tests/sim/audit.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "forwarders/side_lanes.h"
#include "wal/queue_state.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

// One request for each of a destination's three lanes; the pool of production has one connection more.
constexpr std::size_t kConnectionsMax = 3;
// The longest that a sender waits between two requests while it has something to send: Retry-After is
// honoured up to 60 s, a request takes up to 30 s, and a reader that failed asks again after a second.
constexpr Duration kSilenceMax = 150s;
constexpr Duration kAnswerMax = 60s;
constexpr Duration kLookInterval = 1s;

// What senders hold, see lane_sender.cc and queue.cc: a window of 1 MiB and its successor for each of three
// lanes, and what was set aside and is not durable yet.
constexpr std::uint64_t kWindowBytes = 2 << 20;
constexpr std::uint64_t kDivertBytes = 8 << 20;
constexpr std::uint64_t kLanesPerDestination = 3;
constexpr std::uint64_t kTrimBytes = 256 << 10;
// One batch may be refused sample by sample: a dead letter with its series and the receiver's words for each,
// all of them in one group, before any is dropped.
constexpr std::uint64_t kDeadLettersOfABatch = 1 << 20;

std::string side_lane(std::string_view kind, const std::string& destination) {
  return forward::side_lane_name(kLane, kind, destination);
}

}  // namespace

void Audit::check(bool holds, std::string sentence) {
  if (!holds) oracle_.violation(std::move(sentence));
}

void Audit::serving(const Agent& agent, const WorkerSpeed& speed) {
  ++life_;
  watches_.assign(agent.options().destinations.size(), {clock_.now()});
  const auto longest = [](double often, Duration time) { return often > 0 ? 4 * time : Duration{}; };
  patience_ = 20 * speed.commit + longest(speed.stalls, speed.stall) + longest(speed.sticks, speed.stuck);
  const AgentOptions& options = agent.options();
  bounds_.clear();
  bound(std::string(kLane), options.lane_bytes_max);
  for (const DestinationOptions& d : options.destinations) {
    bound(side_lane(forward::kParkedLane, d.name), options.parked_bytes_max);
    bound(side_lane(forward::kQuarantineLane, d.name), options.quarantine_bytes_max);
    bound(side_lane(forward::kRejectsLane, d.name), options.rejects_bytes_max + kDeadLettersOfABatch / 2);
  }
}

// What is given back lags behind what is settled by the group that says so: hence twice the budget. What is
// best effort loses its oldest after the fact, a run at a time. And a budget may have been larger before.
void Audit::bound(std::string lane, std::uint64_t bytes) {
  const LaneId id = wal::lane_id(lane);
  bounds_.push_back({std::move(lane), id, std::max(2 * bytes, oracle_.held_bytes(id)) + kTrimBytes});
}

void Audit::after_step(const Agent* agent) {
  if (agent == nullptr || !agent->serving()) return;
  check_connections(*agent);
  if (trace_ != oracle_.trace()) {  // something crossed the agent's border
    trace_ = oracle_.trace();
    check_ledgers(*agent);
    check_disk();
  }
  if (clock_.now() < looked_at_ + kLookInterval) return;
  looked_at_ = clock_.now();
  check_memory(*agent);
  check_liveness(*agent);
}

void Audit::check_connections(const Agent& agent) {
  for (std::size_t i = 0; i < agent.options().destinations.size(); ++i)
    if (agent.requests_open(i) > kConnectionsMax)
      check(false, fmt::format("{} requests at a time to {}", agent.requests_open(i),
                               agent.options().destinations[i].name));
}

// accepted = delivered + rejected + dropped + queued, by the agent's own figures, in each of its lanes.
void Audit::check_ledgers(const Agent& agent) {
  const auto closed = [this, &agent](LaneId lane) {
    for (const wal::CursorUsage& cursor : agent.queue().cursors(lane)) {
      if (cursor.accepted.units == cursor.ledger.settled() + cursor.behind.units) continue;
      check(false, fmt::format("the ledger of {} is open: accepted {}, settled {}, queued {}", cursor.name,
                               cursor.accepted.units, cursor.ledger.settled(), cursor.behind.units));
    }
  };
  closed(agent.lane());
  for (const DestinationOptions& destination : agent.options().destinations) {
    closed(wal::lane_id(side_lane(forward::kParkedLane, destination.name)));
    closed(wal::lane_id(side_lane(forward::kQuarantineLane, destination.name)));
  }
}

void Audit::check_disk() {
  for (const Bound& b : bounds_) {
    const std::uint64_t held = oracle_.held_bytes(b.id);
    if (held > b.bytes) check(false, fmt::format("{} bytes in {}, allowed {}", held, b.lane, b.bytes));
  }
}

// Records that the agent holds, whatever the backlog.
void Audit::check_memory(const Agent& agent) {
  const wal::WalLimits& limits = agent.options().limits;
  const std::uint64_t lanes = kLanesPerDestination * agent.options().destinations.size();
  const std::uint64_t allowed =
      limits.tail_bytes + limits.waiting_bytes + kDivertBytes + lanes * kWindowBytes;
  const std::uint64_t held = disk_.lent_bytes();
  if (held > allowed) check(false, fmt::format("{} bytes of records in memory, allowed {}", held, allowed));
}

void Audit::check_liveness(const Agent& agent) {
  const Time now = clock_.now();
  const std::vector<wal::CursorUsage> cursors = agent.queue().cursors(agent.lane());
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    const DestinationOptions& destination = agent.options().destinations[i];
    const auto cursor = std::find_if(cursors.begin(), cursors.end(),
                                     [&](const wal::CursorUsage& c) { return c.name == destination.name; });
    const bool has_work = cursor != cursors.end() && cursor->behind.records > 0;
    Time& since = watches_[i].moving_since;
    since = has_work ? std::max(since, destination.network->last_request()) : now;
    if (now - since <= kSilenceMax + patience_) continue;
    check(false, fmt::format("{} records wait for {}, and nothing was asked of it for {} s",
                             cursor->behind.records, destination.name,
                             std::chrono::duration_cast<std::chrono::seconds>(now - since).count()));
  }
  if (const auto oldest = agent.oldest_post(); oldest && now - *oldest > kAnswerMax + patience_)
    check(false, "a source has waited for its answer since the world was young");
}

void Audit::drained(const Agent& agent, const std::map<std::string, Lies>& lies) {
  check_ledgers(agent);
  for (std::size_t i = 0; i < agent.options().destinations.size(); ++i) {
    const std::string& name = agent.options().destinations[i].name;
    const auto told = lies.find(name);
    check_figures(name, agent.destination(i), told == lies.end() ? Lies{} : told->second);
  }
}

void Audit::check_figures(const std::string& name, const forward::SenderStatus& status, const Lies& lies) {
  const auto say = [this, &name](bool holds, const std::string& sentence) {
    if (!holds) check(false, name + ": " + sentence);
  };
  wal::Ledger sum = status.main.ledger;
  sum += status.parked.ledger;
  sum += status.quarantine.ledger;
  std::uint64_t rejected = 0;
  for (std::size_t i = 0; i < wal::kReasons; ++i)
    if (wal::is_rejection(static_cast<wal::Reason>(i))) rejected += sum.lost[i];
  const auto lost = [&sum](wal::Reason reason) { return sum.lost[static_cast<std::size_t>(reason)]; };
  const std::uint64_t accepted = status.main.accepted.units;
  const Oracle::Figures& figures = oracle_.figures(name);
  const Account account = oracle_.account_of_open(name);
  say(accepted == figures.accepted,
      fmt::format("the agent accepted {} samples, the disk was given {}", accepted, figures.accepted));
  const std::uint64_t moved = status.parked.accepted.units + status.quarantine.accepted.units;
  say(sum.diverted == moved,
      fmt::format("{} samples left their lane for another, {} came", sum.diverted, moved));
  const std::uint64_t settled = sum.settled() - sum.diverted;
  say(settled == accepted, fmt::format("{} samples accepted, {} settled", accepted, settled));
  say(lost(wal::Reason::damaged) <= figures.damaged,
      fmt::format("{} samples counted as damaged, {} were", lost(wal::Reason::damaged), figures.damaged));
  // What a damaged record held may have been dropped to keep a budget before anybody came to it.
  const std::uint64_t gone = oracle_.gone_by_damage(name);
  say(gone <= lost(wal::Reason::damaged) + lost(wal::Reason::budget) - figures.dropped,
      fmt::format("{} samples are gone by damage, {} counted as damaged and {} as dropped", gone,
                  lost(wal::Reason::damaged), lost(wal::Reason::budget)));
  say(figures.dropped <= lost(wal::Reason::budget),
      fmt::format("{} samples dropped, {} counted", figures.dropped, lost(wal::Reason::budget)));
  // What may have arrived before and is refused for it is a duplicate, and not rejected.
  const std::uint64_t refusals = lies.confusing ? figures.refusals : figures.refusals_of_fresh;
  say(rejected <= refusals + lies.oversaid,
      fmt::format("{} samples counted as rejected, the receiver refused {}", rejected, refusals));
  // A refusal after a doubtful attempt is taken for a duplicate; what was refused without anybody hearing it
  // may have been dropped later. It is counted, if not as what it was.
  const std::uint64_t dropped_beyond = lost(wal::Reason::budget) - figures.dropped;
  say(account.refused <= rejected + sum.probable_duplicates + dropped_beyond + lies.unsaid,
      fmt::format(
          "the receiver refused {} samples for good, {} were counted as rejected and {} as duplicates",
          account.refused, rejected, sum.probable_duplicates));
}

}  // namespace tideover::sim
