#include "tests/sim/world.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "wal/base/invariant.h"
#include "wal/queue_state.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kOftenEnough = 10min;  // between the starts of outages, restarts and so on
constexpr Duration kDownTimeMax = 60s;    // of a crashed agent
constexpr Duration kRestartTime = 100ms;  // of one that was stopped in order
constexpr double kChangesAtCrash = 0.5;
constexpr Duration kPatience = 2min;  // for the place where a crash is to happen
constexpr Duration kFuneral = 2min;   // an agent that is told to stop ends within this
constexpr Duration kStopTime = 30s;   // as agent.cc: then the process ends whatever hangs
constexpr Duration kDiskFullTime = 5min;
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 30;
constexpr std::uint64_t kFreeBytesLow = 1 << 30;  // of 128 GiB, of which a fifth is to be kept free
constexpr Duration kJumpMax = 24h;
constexpr Duration kSettleTime = 5s;
constexpr Duration kLoopback = 200us;

// Names of the streams of chance: what one part draws does not move another's luck.
enum Stream : std::uint64_t {
  kWorld = 1,
  kDisk,
  kReceivers = 500,
  kNetworks = 600,
  kStrangers = 700,
  kAgents = 1000,
  kSources = 2000,
};

Duration part_of(Duration span, double share) { return std::chrono::duration_cast<Duration>(span * share); }

}  // namespace

World::World(std::uint64_t seed)
    : seed_(seed),
      rng_(stream(kWorld)),
      oracle_(std::string(kLane)),
      disk_(stream(kDisk), oracle_, happened_) {
  add_destination({.name = "thanos"});
}

World::~World() {
  if (!agent_) return;
  agent_->die();
  bury_agent();
}

Site& World::add_site(const std::string& destination) {
  const std::size_t n = sites_.size();
  sites_.push_back(std::make_unique<Site>(clock_, stream(kReceivers + n), stream(kNetworks + n), oracle_,
                                          destination, happened_));
  return *sites_.back();
}

Thanos World::add_destination(DestinationOptions options) {
  Site& site = add_site(options.name);
  options.network = &site.network;
  options_.destinations.push_back(std::move(options));
  return Thanos(*this, site);
}

void World::set_external_labels(remote_write::ExternalLabels labels) {
  oracle_.set_external_labels(labels);
  options_.external_labels = std::move(labels);
}

Source::Wire World::wire_to_agent() {
  return [this](http::Request request, Source::Answer answer) {
    carry_to_agent(std::move(request), std::move(answer));
  };
}

Source& World::add_source(const SourceOptions& options) {
  sources_.push_back(std::make_unique<Source>(clock_, stream(kSources + sources_.size()), oracle_, options,
                                              wire_to_agent()));
  sources_.back()->start();
  return *sources_.back();
}

void World::add_stranger() {
  strangers_.push_back(
      std::make_unique<Stranger>(clock_, stream(kStrangers + strangers_.size()), oracle_, wire_to_agent()));
  strangers_.back()->start();
}

void World::carry_to_agent(http::Request request, Source::Answer answer) {
  auto back = [this, answer = std::move(answer)](std::optional<http::Response> response) {
    if (response && rng_.chance(answer_lost_)) {
      happened(Fault::source_answer_lost);
      response.reset();
    }
    clock_.call_at(clock_.now() + kLoopback, [answer, response = std::move(response)] { answer(response); });
  };
  auto arrive = [this, request = std::move(request), back = std::move(back)]() mutable {
    if (!agent_ || !agent_->serving()) return back(std::nullopt);
    agent_->post(std::move(request), std::move(back));
  };
  clock_.call_at(clock_.now() + kLoopback, std::move(arrive));
}

// ---- the lives of the agent ----

void World::start_agent() {
  if (agent_) return;
  coverage_.hit_recovery(agents_ == 0        ? Recovery::fresh
                         : stopped_in_order_ ? Recovery::after_stop
                                             : Recovery::after_crash);
  agent_ = std::make_unique<Agent>(io_, clock_, stream(kAgents + agents_++), disk_, speed_, options_,
                                   coverage_, happened_);
  agent_->on_serving = [this] { agent_serves(); };
  agent_->start();
}

void World::start_agent_in(Duration delay) {
  clock_.call_at(clock_.now() + delay, [this] { start_agent(); });
}

void World::agent_serves() {
  const AgentOptions& options = agent_->options();
  std::vector<Oracle::Promise> promises;
  for (const DestinationOptions& d : options.destinations) promises.push_back({d.name, d.required, d.start});
  oracle_.serving(promises, {options.lane_bytes_max, options.parked_bytes_max, options.quarantine_bytes_max});
  audit_.serving(*agent_, speed_);
}

// Time goes on meanwhile, and with it everything else.
void World::bury_agent() {
  burying_ = true;
  agent_->stop();
  const Time deadline = clock_.now() + kFuneral;
  while (!agent_->ended() && clock_.step(deadline)) {
  }
  invariant(agent_->ended(), "an agent that is told to stop ends");
  agent_.reset();
  burying_ = false;
}

void World::die(Fault how) {
  if (!agent_ || agent_->dead() || agent_->ended()) return;
  happened(agent_->stopping() ? Fault::crash_while_stopping : how);
  crash_armed_ = false;
  for (const auto& site : sites_) site->network.on_act = nullptr;
  disk_.cut_at_commit(Cut::none, nullptr);
  ++crashes_;
  agent_->die();
}

void World::crash() {
  die(Fault::crash_any_time);
  if (!agent_ || burying_) return;
  bury_agent();
  stopped_in_order_ = false;
  for (const auto& what : at_crashes_)
    if (!healed_ && rng_.chance(kChangesAtCrash)) what();
  start_agent_in(part_of(kDownTimeMax, rng_.unit()));
}

void World::restart_agent() {
  if (!agent_ || !agent_->serving()) return;
  happened(Fault::restart);
  agent_->stop();
  clock_.call_at(clock_.now() + kStopTime, [this, life = agents_] {
    if (agent_ && agents_ == life) die(Fault::crash_while_stopping);
  });
}

void World::cut_power(Cut where, Fault how, int skip) {
  disk_.cut_at_commit(
      where, [this, how] { die(how); }, skip);
}

// The places where a crash hurts: between a commit and its answer, between an answer and its hearer.
void World::plan_crash() {
  if (!agent_ || !agent_->serving() || crash_armed_) {
    clock_.call_at(clock_.now() + 10s, [this] { plan_crash(); });
    return;
  }
  crash_armed_ = true;
  clock_.call_at(clock_.now() + kPatience, [this] {
    if (crash_armed_) die(Fault::crash_any_time);
  });
  switch (rng_.below(8)) {
    case 0: return die(Fault::crash_any_time);
    case 1: return cut_power(Cut::before_commit, Fault::crash_before_commit);
    case 2: return cut_power(Cut::during_commit, Fault::crash_during_commit);
    case 3: return cut_power(Cut::after_commit, Fault::crash_after_commit);
    case 4: {
      Site& site = *sites_[rng_.below(sites_.size())];
      site.network.on_act = [this] { die(Fault::crash_when_receiver_acted); };
      return;
    }
    case 5:
    case 6: return cut_power(Cut::before_divert, Fault::crash_before_divert);
    case 7: agent_->on_answer = [this] { die(Fault::crash_when_answer_leaves); }; return;
  }
}

bool World::step(Time limit) {
  const bool more = clock_.step(limit);
  ++steps_;
  if (agent_ && agent_->dead()) {
    crash();
  } else if (agent_ && agent_->ended()) {
    agent_.reset();
    stopped_in_order_ = true;
    if (std::exchange(crash_armed_, false)) plan_crash();  // of the next life, then
    start_agent_in(kRestartTime);
  }
  audit_.after_step(agent_.get());
  return more;
}

void World::run_for(Duration span) {
  if (!agent_ && agents_ == 0) start_agent();
  apply_faults();
  const Time end = clock_.now() + span;
  while (!broken() && step(end)) {
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

// ---- troubles ----

void World::damage_a_record() {
  const LaneId lane = wal::lane_id(kLane);
  const auto seq = oracle_.any_intact_record(lane, rng_);
  if (!seq || !disk_.damage(lane, *seq)) return;
  happened(Fault::record_damaged);
  oracle_.damaged(lane, *seq);
}

void World::damage_records() {
  every(kOftenEnough, [this] { damage_a_record(); });
}

void World::fill_disk() {
  every(kOftenEnough, [this] {
    if (rng_.chance(0.5)) {
      disk_.set_full(true);
    } else {
      happened(Fault::disk_floor);
      ++times_below_floor_;
      oracle_.below_floor(true);
      disk_.set_free_bytes(kFreeBytesLow);
    }
    clock_.call_at(clock_.now() + part_of(kDiskFullTime, rng_.unit()), [this] { empty_disk(); });
  });
}

void World::empty_disk() {
  disk_.set_full(false);
  disk_.set_free_bytes(kFreeBytes);
  // What is dropped for it is read first, at the pace of the disk.
  clock_.call_at(clock_.now() + std::chrono::minutes(10), [this, time = times_below_floor_] {
    if (time == times_below_floor_) oracle_.below_floor(false);
  });
}

void World::jump_wall_clock() {
  every(kOftenEnough, [this] {
    happened(Fault::wall_clock_jumps);
    clock_.jump_wall(part_of(kJumpMax, rng_.between(-1, 1)));
  });
}

void World::restart_sources() {
  every(kOftenEnough, [this] {
    happened(Fault::source_restarts);
    sources_[rng_.below(sources_.size())]->restart();
  });
}

void World::restart_agents() {
  every(kOftenEnough, [this] { restart_agent(); });
}

void World::apply_faults() {
  disk_.set_faults(disk_faults_);
  for (const auto& site : sites_) site->apply();
}

void World::every(Duration mean, std::function<void()> what) {
  clock_.call_at(clock_.now() + part_of(mean, rng_.between(0.2, 1.8)), [this, mean, what = std::move(what)] {
    if (healed_) return;
    what();
    every(mean, what);
  });
}

void World::every_and_at_crashes(Duration mean, std::function<void()> what) {
  at_crashes_.push_back(what);
  every(mean, std::move(what));
}

// ---- the end ----

// Destinations that nobody gave up are wanted again: what waits for them must still be there.
void World::return_destinations() {
  bool changed = false;
  for (const auto& site : sites_) {
    const bool configured =
        std::any_of(options_.destinations.begin(), options_.destinations.end(),
                    [&site](const DestinationOptions& d) { return d.name == site->destination; });
    if (configured || !oracle_.remembers(site->destination)) continue;
    options_.destinations.push_back({.name = site->destination, .network = &site->network});
    happened(Fault::destination_returned);
    changed = true;
  }
  if (changed) restart_for_changes();
}

// One that is being started read its configuration before.
void World::restart_for_changes() {
  if (agent_ && agent_->serving()) return restart_agent();
  if (agent_) clock_.call_at(clock_.now() + 1s, [this] { restart_for_changes(); });
}

// In its main lane, nor on the way there.
bool World::nothing_waits_for(const std::string& destination) const {
  if (!agent_ || !agent_->serving()) return false;
  const auto idle = [](const auto& source) { return source->idle(); };
  if (!std::all_of(sources_.begin(), sources_.end(), idle)) return false;
  const std::vector<DestinationOptions>& known = agent_->options().destinations;
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i].name == destination) return agent_->destination(i).main.behind.records == 0;
  return false;
}

void World::stop_scraping() {
  for (auto& source : sources_) source->stop_scraping();
}

void World::fall_silent() {
  constexpr Duration kProbed = std::chrono::minutes(12);  // all that is set aside was sent at least once
  stop_scraping();
  run_for(kProbed);
  for (const auto& site : sites_) {
    site->receiver.restart(clock_.now(), true);
    // What a main lane sends may be given up for words that nobody knows; what is set aside may not.
    site->rules.mumbles = rng_.chance(0.3) && nothing_waits_for(site->destination);
  }
  run_for(kProbed);
}

// Of the parked lane, in which all have a turn: an hour at most, or nine times what the last one spent on
// what it put back, which was some requests for each record, with a second between them.
Duration World::round_is_due() const {
  constexpr Duration kUsually = std::chrono::minutes(90);
  constexpr Duration kForEachRecord = 9 * std::chrono::seconds(4);
  std::uint64_t records = 0;
  if (agent_ && agent_->serving())
    for (std::size_t i = 0; i < agent_->options().destinations.size(); ++i)
      records = std::max(records, agent_->destination(i).parked.behind.records);
  return kUsually + kForEachRecord * static_cast<Duration::rep>(records);
}

// Two troubles need not end for others to be over: what no window admits holds up nothing else, and what is
// never answered arrives in smaller requests. Then they end too, for everything is to arrive.
void World::drain_in_spite_of_it() {
  const auto picky = [](const auto& site) {
    return site->rules.never_admits > 0 || site->rules.answers_up_to > 0;
  };
  if (std::none_of(sites_.begin(), sites_.end(), picky)) return;
  run_for(round_is_due());
  for (const auto& site : sites_) {
    const auto& known = options_.destinations;
    const bool serves = std::any_of(known.begin(), known.end(), [&site](const DestinationOptions& d) {
      return d.name == site->destination && d.network == &site->network;
    });
    const auto admitted = [&site](const Sample& s) { return !site->receiver.outside_any_window(s); };
    const std::uint64_t waits = serves ? oracle_.outstanding(site->destination, admitted) : 0;
    if (waits > 0)
      oracle_.violation(
          fmt::format("{} samples for {} are held up by what no window admits, or is not answered:{}", waits,
                      site->destination, still_waiting()));
    site->rules.never_admits = 0;
    site->rules.answers_up_to = 0;
  }
  apply_faults();
}

void World::heal_and_drain(Duration bound) {
  healed_ = true;
  disk_faults_ = {};
  speed_ = {};
  answer_lost_ = 0;
  for (const auto& site : sites_) {
    site->note_confusion();
    site->weather = {};
    site->faults = {};
    site->rules.out_of_order_window = std::chrono::hours(24 * 365);
    site->rules.samples_max = 0;
    site->rules.bytes_max = 0;
    site->rules.every_size_too_large = false;
    site->rules.mumbles = false;
    site->rules.label_bytes_max = 0;
    site->network.set_link(Link::up);
    site->network.set_line({});
  }
  empty_disk();
  stop_scraping();
  for (auto& stranger : strangers_) stranger->stop();
  apply_faults();
  return_destinations();
  drain_in_spite_of_it();
  const Time end = clock_.now() + bound;
  // Drained, and still so when the last acknowledgements have become durable.
  for (Time since = end; !broken() && clock_.now() < end && since + kSettleTime > clock_.now();) {
    if (!step(end)) break;
    if (!drained())
      since = end;
    else if (since == end)
      since = clock_.now();
  }
  coverage_.hit(happened_);
  if (broken()) return;
  if (!drained()) return oracle_.violation(still_waiting());
  std::map<std::string, Lies> lies;
  for (const auto& site : sites_) {
    lies[site->destination].unsaid += site->receiver.unsaid();
    lies[site->destination].oversaid += site->receiver.oversaid();
    lies[site->destination].confusing |= site->confusing();
  }
  audit_.drained(*agent_, lies);
  coverage_.hit_recovery(Recovery::drained_in_full);
  for (std::size_t i = 0; i < agent_->options().destinations.size(); ++i)
    coverage_.hit(agent_->destination(i));
}

std::string World::still_waiting() const {
  std::string text = "not drained in time:";
  for (const auto& source : sources_) text += source->idle() ? "" : " a source waits,";
  if (!agent_ || !agent_->serving()) return text + " no agent serves";
  for (std::size_t i = 0; i < agent_->options().destinations.size(); ++i) {
    const forward::SenderStatus status = agent_->destination(i);
    text += fmt::format("\n    {}: {} of {} main, {} parked, {} quarantined; the receiver said: {}",
                        agent_->options().destinations[i].name, status.main.behind.units,
                        forward::to_string(status.state), status.parked.behind.units,
                        status.quarantine.behind.units, status.last_error);
  }
  return text + fmt::format("\n    {} samples promised", oracle_.outstanding());
}

bool World::drained() const {
  for (const auto& source : sources_)
    if (!source->idle()) return false;
  return oracle_.settled() && agent_ && agent_->serving() && agent_->settled();
}

}  // namespace tideover::sim
