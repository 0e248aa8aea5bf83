// A node, its Prometheus, the network and the receiver in one thread: a pure function of its seed.
//
//   World world(seed);
//   world.add_source({.name = "a"});
//   world.thanos().fails(0.2).loses_replies(0.05).down_for(1min, 10min);
//   world.run_with_crashes(12, 1h);
//   world.heal_and_drain();
//   CHECK(world.violations().empty());
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/agent.h"
#include "tests/sim/disk.h"
#include "tests/sim/oracle.h"
#include "tests/sim/source.h"
#include "tests/support/receiver_model.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_network.h"

namespace tideover::sim {

class World;

// The receiver and the way to it, in words.
class Thanos {
 public:
  explicit Thanos(World& world) : world_(world) {}

  Thanos& fails(double often);  // 500 or 503, nothing stored
  Thanos& fails_after_storing(double often);
  Thanos& throttles(double often);  // 429
  Thanos& forbids(double often);    // 401 or 404
  Thanos& loses_replies(double often);
  Thanos& resets(double often);          // before or after it acted
  Thanos& answers_slowly(double often);  // up to 90 s, past the deadline
  Thanos& is_away(Duration latency);
  Thanos& window(Duration out_of_order);
  Thanos& is_prometheus();
  Thanos& takes_at_most(std::size_t samples);
  Thanos& down_for(Duration min, Duration max);    // every ten minutes or so, in one way or another
  Thanos& restarts(bool loses_head);               // every ten minutes or so
  Thanos& has_other_writers(Duration ahead = {});  // whose samples move its head, their clocks being ahead

 private:
  World& world_;
};

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();

  Source& add_source(const SourceOptions& options);
  Thanos thanos() { return Thanos(*this); }
  DiskFaults& disk_faults() { return disk_faults_; }
  WorkerSpeed& speed() { return speed_; }
  AgentOptions& agent_options() { return options_; }         // of the next agent
  void lose_answers(double often) { answer_lost_ = often; }  // between agent and source

  void run_for(Duration span);
  // Crashes at times and places that only the seed knows; the agent is back within a minute each time.
  void run_with_crashes(int crashes, Duration span);
  void crash();
  void damage_a_record();  // of those on disk that are not delivered yet, or were a moment ago

  // Every ten minutes or so:
  void damage_records();
  void fill_disk();        // for some minutes: ENOSPC, or less free space than is to be kept
  void jump_wall_clock();  // by up to a day, forth or back
  void restart_sources();  // which forget what they have not sent
  // No more scrapes, no more faults, a receiver that takes everything: all must arrive within `bound`.
  void heal_and_drain(Duration bound = std::chrono::hours(2));

  const std::vector<std::string>& violations() const { return oracle_.violations(); }
  bool broken() const { return !violations().empty(); }
  Account account() const { return oracle_.account(); }
  std::uint64_t trace() const { return oracle_.trace(); }
  int crashes() const { return crashes_; }
  std::uint64_t seed() const { return seed_; }

  SimClock& clock() { return clock_; }
  Disk& disk() { return disk_; }
  SimNetwork& network() { return network_; }
  ReceiverModel& receiver() { return receiver_; }
  Oracle& oracle() { return oracle_; }
  Agent* agent() { return agent_.get(); }

 private:
  friend class Thanos;
  Rng stream(std::uint64_t name) const { return Rng(Rng(seed_ ^ name * 0x9e3779b97f4a7c15ULL).next()); }

  void start_agent();
  void bury_agent();
  bool step(Time limit);
  void carry_to_agent(http::Request request, Source::Answer answer);
  void plan_crash();
  void die();
  void every(Duration mean, std::function<void()> what);
  void begin_outage();
  void empty_disk();
  void apply_faults();
  bool drained() const;
  std::string still_waiting() const;
  void check_bounds();
  void check_ledger_is_closed();
  void check_ledger();

  const std::uint64_t seed_;
  boost::asio::io_context io_;
  SimClock clock_{io_};
  Rng rng_;
  Oracle oracle_;
  Disk disk_;
  ReceiverModel receiver_;
  SimNetwork network_;
  DiskFaults disk_faults_;
  WorkerSpeed speed_;
  AgentOptions options_;
  Weather weather_;
  ReceiverFaults receiver_faults_;
  ReceiverRules rules_;
  Duration down_min_{};
  Duration down_max_{};
  double answer_lost_ = 0;
  bool healed_ = false;
  bool crash_armed_ = false;
  int crashes_ = 0;
  std::uint64_t agents_ = 0;
  std::vector<std::unique_ptr<Source>> sources_;
  std::unique_ptr<Agent> agent_;
};

}  // namespace tideover::sim
