#include "tests/sim/world.h"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "wal/base/invariant.h"
#include "wal/queue_state.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kOftenEnough = 10min;  // between the starts of outages, restarts and so on
constexpr Duration kDownTimeMax = 60s;    // of a crashed agent
constexpr Duration kPatience = 2min;      // for the place where a crash is to happen
constexpr Duration kFuneral = 2min;       // an agent that is told to stop ends within this
constexpr Duration kDiskFullTime = 5min;
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 30;
constexpr std::uint64_t kFreeBytesLow = 1 << 30;  // of 128 GiB, of which a fifth is to be kept free
constexpr Duration kJumpMax = 24h;
constexpr Duration kSettleTime = 5s;
constexpr Duration kLoopback = 200us;
constexpr Duration kCheckInterval = 10s;

// Names of the streams of chance: what one part draws does not move another's luck.
enum Stream : std::uint64_t { kWorld = 1, kDisk, kReceiver, kNetwork, kAgents = 1000, kSources = 2000 };

Duration part_of(Duration span, double share) { return std::chrono::duration_cast<Duration>(span * share); }

}  // namespace

World::World(std::uint64_t seed)
    : seed_(seed),
      rng_(stream(kWorld)),
      disk_(stream(kDisk), oracle_),
      receiver_(clock_, stream(kReceiver), oracle_.names(), oracle_),
      network_(clock_, stream(kNetwork),
               [this](const http::Request& request) { return receiver_.receive(request); }) {
  rules_.out_of_order_window = 4h;
  oracle_.set_intake_lane(wal::lane_id(kLane));
}

World::~World() {
  if (!agent_) return;
  agent_->die();
  bury_agent();
}

Source& World::add_source(const SourceOptions& options) {
  auto wire = [this](http::Request request, Source::Answer answer) {
    carry_to_agent(std::move(request), std::move(answer));
  };
  sources_.push_back(std::make_unique<Source>(clock_, stream(kSources + sources_.size()), oracle_, options,
                                              std::move(wire)));
  sources_.back()->start();
  return *sources_.back();
}

void World::carry_to_agent(http::Request request, Source::Answer answer) {
  auto back = [this, answer = std::move(answer)](std::optional<http::Response> response) {
    if (rng_.chance(answer_lost_)) response.reset();
    clock_.call_at(clock_.now() + kLoopback, [answer, response = std::move(response)] { answer(response); });
  };
  auto arrive = [this, request = std::move(request), back = std::move(back)]() mutable {
    if (!agent_ || !agent_->serving()) return back(std::nullopt);
    agent_->post(std::move(request), std::move(back));
  };
  clock_.call_at(clock_.now() + kLoopback, std::move(arrive));
}

void World::start_agent() {
  if (agent_) return;
  agent_ =
      std::make_unique<Agent>(io_, clock_, stream(kAgents + agents_++), disk_, network_, speed_, options_);
  agent_->start();
}

void World::bury_agent() {
  agent_->stop();
  const Time deadline = clock_.now() + kFuneral;
  while (!agent_->ended() && clock_.step(deadline)) {
  }
  invariant(agent_->ended(), "an agent that is told to stop ends");
  agent_.reset();
}

void World::die() {
  if (!agent_ || agent_->dead()) return;
  crash_armed_ = false;
  network_.on_act = nullptr;
  disk_.cut_at_commit(Cut::none, nullptr);
  ++crashes_;
  agent_->die();
}

void World::crash() {
  die();
  if (!agent_) return;
  bury_agent();
  clock_.call_at(clock_.now() + part_of(kDownTimeMax, rng_.unit()), [this] { start_agent(); });
}

// The places where a crash hurts: between a commit and its answer, between an answer and its hearer.
void World::plan_crash() {
  if (!agent_ || !agent_->serving() || crash_armed_) {
    clock_.call_at(clock_.now() + 10s, [this] { plan_crash(); });
    return;
  }
  crash_armed_ = true;
  clock_.call_at(clock_.now() + kPatience, [this] {
    if (crash_armed_) die();
  });
  switch (rng_.below(5)) {
    case 0: return die();
    case 1: return disk_.cut_at_commit(Cut::before_commit, [this] { die(); });
    case 2: return disk_.cut_at_commit(Cut::after_commit, [this] { die(); });
    case 3: network_.on_act = [this] { die(); }; return;
    case 4: agent_->on_answer = [this] { die(); }; return;
  }
}

void World::damage_a_record() {
  const LaneId lane = wal::lane_id(kLane);
  const auto seq = oracle_.any_intact_record(lane, rng_);
  if (seq && disk_.damage(lane, *seq)) oracle_.damaged(lane, *seq);
}

void World::damage_records() {
  every(kOftenEnough, [this] { damage_a_record(); });
}

void World::fill_disk() {
  every(kOftenEnough, [this] {
    if (rng_.chance(0.5))
      disk_.set_full(true);
    else
      disk_.set_free_bytes(kFreeBytesLow);
    clock_.call_at(clock_.now() + part_of(kDiskFullTime, rng_.unit()), [this] { empty_disk(); });
  });
}

void World::empty_disk() {
  disk_.set_full(false);
  disk_.set_free_bytes(kFreeBytes);
}

void World::jump_wall_clock() {
  every(kOftenEnough, [this] { clock_.jump_wall(part_of(kJumpMax, rng_.between(-1, 1))); });
}

void World::restart_sources() {
  every(kOftenEnough, [this] { sources_[rng_.below(sources_.size())]->restart(); });
}

bool World::step(Time limit) {
  const bool more = clock_.step(limit);
  if (agent_ && agent_->dead()) crash();
  return more;
}

void World::run_for(Duration span) {
  if (!agent_ && agents_ == 0) start_agent();
  apply_faults();
  const Time end = clock_.now() + span;
  Time check = clock_.now();
  while (!broken() && step(end)) {
    if (clock_.now() < check) continue;
    check = clock_.now() + kCheckInterval;
    check_bounds();
  }
  clock_.run_until(std::max(end, clock_.now()));
}

void World::run_with_crashes(int crashes, Duration span) {
  for (int i = 0; i < crashes; ++i)
    clock_.call_at(clock_.now() + part_of(span, rng_.unit()), [this] { plan_crash(); });
  const int wanted = crashes_ + crashes;
  run_for(span);
  while (!broken() && crashes_ < wanted) run_for(kPatience);
}

void World::apply_faults() {
  disk_.set_faults(disk_faults_);
  network_.set_weather(weather_);
  receiver_.set_faults(receiver_faults_);
  receiver_.set_rules(rules_);
}

void World::every(Duration mean, std::function<void()> what) {
  clock_.call_at(clock_.now() + part_of(mean, rng_.between(0.2, 1.8)), [this, mean, what = std::move(what)] {
    if (healed_) return;
    what();
    every(mean, what);
  });
}

void World::begin_outage() {
  constexpr std::array kinds{Link::refusing, Link::black_hole, Link::resetting};
  network_.set_link(kinds[rng_.below(kinds.size())]);
  const Duration length = down_min_ + part_of(down_max_ - down_min_, rng_.unit());
  clock_.call_at(clock_.now() + length, [this] { network_.set_link(Link::up); });
}

void World::heal_and_drain(Duration bound) {
  healed_ = true;
  disk_faults_ = {};
  weather_ = {};
  receiver_faults_ = {};
  speed_ = {};
  answer_lost_ = 0;
  rules_.out_of_order_window = std::chrono::hours(24 * 365);
  rules_.samples_max = 0;
  network_.set_link(Link::up);
  empty_disk();
  for (auto& source : sources_) source->stop_scraping();
  apply_faults();
  const Time end = clock_.now() + bound;
  // Drained, and still so when the last acknowledgements have become durable.
  for (Time since = end; !broken() && clock_.now() < end && since + kSettleTime > clock_.now();) {
    if (!step(end)) break;
    if (!drained())
      since = end;
    else if (since == end)
      since = clock_.now();
  }
  if (broken()) return;
  if (!drained()) return oracle_.violation(still_waiting());
  check_ledger();
}

std::string World::still_waiting() const {
  std::string text = "not drained in time:";
  for (const auto& source : sources_) text += source->idle() ? "" : " a source waits,";
  if (!agent_ || !agent_->serving()) return text + " no agent serves";
  const forward::SenderStatus status = agent_->destination();
  return text +
         fmt::format(" {} of {} main, {} parked, {} quarantined, {} samples promised; the receiver said: {}",
                     status.main.behind.units, forward::to_string(status.state), status.parked.behind.units,
                     status.quarantine.behind.units, oracle_.account().outstanding, status.last_error);
}

bool World::drained() const {
  for (const auto& source : sources_)
    if (!source->idle()) return false;
  return oracle_.settled() && agent_ && agent_->serving() && agent_->settled();
}

void World::check_bounds() {
  // One lane's budget, and as much again for what was parked, quarantined and rejected.
  if (oracle_.held_bytes() > 2 * options_.lane_bytes_max)
    oracle_.violation(
        fmt::format("{} bytes on disk, budget {}", oracle_.held_bytes(), options_.lane_bytes_max));
  if (agent_ && agent_->serving()) check_ledger_is_closed();
}

// accepted = delivered + rejected + dropped + queued, by the agent's own figures, in each of its lanes.
void World::check_ledger_is_closed() {
  const forward::SenderStatus status = agent_->destination();
  std::uint64_t damaged = 0;
  for (const wal::CursorUsage* cursor : {&status.main, &status.parked, &status.quarantine}) {
    damaged += cursor->ledger.lost[static_cast<std::size_t>(wal::Reason::damaged)];
    if (cursor->accepted.units == cursor->ledger.settled() + cursor->behind.units) continue;
    oracle_.violation(fmt::format("the ledger is open: accepted {}, settled {}, queued {}",
                                  cursor->accepted.units, cursor->ledger.settled(), cursor->behind.units));
  }
  if (damaged > oracle_.damaged_units())
    oracle_.violation(
        fmt::format("{} samples counted as damaged, {} were", damaged, oracle_.damaged_units()));
}

// With nothing under way, the agent's figures are the oracle's.
void World::check_ledger() {
  check_ledger_is_closed();
  const forward::SenderStatus status = agent_->destination();
  wal::Ledger sum = status.main.ledger;
  sum += status.parked.ledger;
  sum += status.quarantine.ledger;
  std::uint64_t rejected = 0;
  for (std::size_t i = 0; i < wal::kReasons; ++i)
    if (wal::is_rejection(static_cast<wal::Reason>(i))) rejected += sum.lost[i];
  const auto check = [this](bool holds, std::string sentence) {
    if (!holds) oracle_.violation(std::move(sentence));
  };
  const std::uint64_t accepted = status.main.accepted.units;
  const Account account = oracle_.account();
  check(accepted == oracle_.accepted_units(),
        fmt::format("the agent accepted {} samples, the disk was given {}", accepted,
                    oracle_.accepted_units()));
  const std::uint64_t moved = status.parked.accepted.units + status.quarantine.accepted.units;
  check(sum.diverted == moved,
        fmt::format("{} samples left their lane for another, {} came", sum.diverted, moved));
  const std::uint64_t settled = sum.settled() - sum.diverted;
  check(settled == accepted, fmt::format("{} samples accepted, {} settled", accepted, settled));
  check(rejected <= oracle_.refusals(),
        fmt::format("{} samples counted as rejected, the receiver refused {}", rejected, oracle_.refusals()));
  // A refusal after a doubtful attempt is taken for a duplicate: it is counted, if not as what it was.
  check(account.refused <= rejected + sum.probable_duplicates,
        fmt::format(
            "the receiver refused {} samples for good, {} were counted as rejected and {} as duplicates",
            account.refused, rejected, sum.probable_duplicates));
}

Thanos& Thanos::fails(double often) {
  world_.receiver_faults_.fails = often;
  world_.receiver_faults_.retry_after = 0.3;
  return *this;
}

Thanos& Thanos::fails_after_storing(double often) {
  world_.receiver_faults_.fails_after = often;
  return *this;
}

Thanos& Thanos::throttles(double often) {
  world_.receiver_faults_.throttles = often;
  return *this;
}

Thanos& Thanos::forbids(double often) {
  world_.receiver_faults_.forbids = often;
  return *this;
}

Thanos& Thanos::loses_replies(double often) {
  world_.weather_.reply_lost = often;
  return *this;
}

Thanos& Thanos::resets(double often) {
  world_.weather_.reset_before = often / 2;
  world_.weather_.reset_after = often / 2;
  return *this;
}

Thanos& Thanos::answers_slowly(double often) {
  world_.weather_.slow = often;
  return *this;
}

Thanos& Thanos::is_away(Duration latency) {
  world_.weather_.latency = latency;
  return *this;
}

Thanos& Thanos::window(Duration out_of_order) {
  world_.rules_.out_of_order_window = out_of_order;
  return *this;
}

Thanos& Thanos::is_prometheus() {
  world_.rules_.kind = ReceiverRules::Kind::prometheus_3;
  return *this;
}

Thanos& Thanos::takes_at_most(std::size_t samples) {
  world_.rules_.samples_max = samples;
  return *this;
}

Thanos& Thanos::down_for(Duration min, Duration max) {
  world_.down_min_ = min;
  world_.down_max_ = max;
  world_.every(kOftenEnough, [&world = world_] { world.begin_outage(); });
  return *this;
}

Thanos& Thanos::restarts(bool loses_head) {
  world_.every(kOftenEnough, [&world = world_, loses_head] {
    world.receiver_.restart(world.clock_.now() + part_of(1min, world.rng_.unit()), loses_head);
  });
  return *this;
}

Thanos& Thanos::has_other_writers(Duration ahead) {
  const auto ahead_ms = std::chrono::duration_cast<std::chrono::milliseconds>(ahead).count();
  world_.every(30s, [&world = world_, ahead_ms] {
    world.receiver_.advance_head(to_unix_ms(world.clock_.true_now()) + ahead_ms);
  });
  return *this;
}

}  // namespace tideover::sim
