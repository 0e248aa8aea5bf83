// A node, its Prometheus, the network and the receivers in one thread: a pure function of its seed.
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
#include "tests/sim/audit.h"
#include "tests/sim/coverage.h"
#include "tests/sim/disk.h"
#include "tests/sim/oracle.h"
#include "tests/sim/site.h"
#include "tests/sim/source.h"
#include "tests/sim/stranger.h"
#include "tests/support/sim_clock.h"

namespace tideover::sim {

class World {
 public:
  explicit World(std::uint64_t seed);  // with one destination, "thanos"
  ~World();

  Source& add_source(const SourceOptions& options);
  void add_stranger();
  // Of the next agent, with a receiver of its own; `network` is filled in.
  Thanos add_destination(DestinationOptions options);
  Thanos thanos(std::size_t site = 0) { return Thanos(*this, *sites_.at(site)); }
  DiskFaults& disk_faults() { return disk_faults_; }
  WorkerSpeed& speed() { return speed_; }
  AgentOptions& agent_options() { return options_; }  // of the next agent
  void set_external_labels(remote_write::ExternalLabels labels);
  void lose_answers(double often) { answer_lost_ = often; }  // between agent and source

  void run_for(Duration span);
  // Crashes at times and places that only the seed knows; the agent is back within a minute each time.
  void run_with_crashes(int crashes, Duration span);
  void crash();
  void cut_power(Cut where, Fault how, int skip = 0);  // at the next commit, or so many later
  void restart_agent();                                // in order, as for a new configuration; at once
  void damage_a_record();  // of those on disk that are not delivered yet, or were a moment ago

  // Every ten minutes or so:
  void damage_records();
  void fill_disk();        // for some minutes: ENOSPC, or less free space than is to be kept
  void jump_wall_clock();  // by up to a day, forth or back
  void restart_sources();  // which forget what they have not sent
  void restart_agents();
  void every(Duration mean, std::function<void()> what);
  // The same, and often while a crashed agent is down: who comes back finds another world.
  void every_and_at_crashes(Duration mean, std::function<void()> what);

  // Nothing is scraped any more. When what was has arrived or is set aside, the receivers lose their heads,
  // so that nobody remembers what overtook the latter.
  void fall_silent();
  void stop_scraping();
  // No more scrapes, no more faults, receivers that take everything, and every destination that was not given
  // up configured again: all must arrive within `bound`.
  void heal_and_drain(Duration bound = std::chrono::hours(2));

  const std::vector<std::string>& violations() const { return oracle_.violations(); }
  bool broken() const { return !violations().empty(); }
  Account account() const { return oracle_.account(); }
  Account account(const std::string& destination) const { return oracle_.account(destination); }
  const Coverage& coverage() const { return coverage_; }
  std::uint64_t trace() const { return oracle_.trace(); }
  std::uint64_t steps() const { return steps_; }
  int crashes() const { return crashes_; }
  std::uint64_t seed() const { return seed_; }

  SimClock& clock() { return clock_; }
  Rng& chance() { return rng_; }
  Disk& disk() { return disk_; }
  // Of the first destination.
  SimNetwork& network() { return sites_.front()->network; }
  ReceiverModel& receiver() { return sites_.front()->receiver; }
  Oracle& oracle() { return oracle_; }
  Agent* agent() { return agent_.get(); }
  std::vector<std::unique_ptr<Site>>& sites() { return sites_; }
  Site& add_site(const std::string& destination);
  void happened(Fault fault) { happened_.add(fault); }

 private:
  bool nothing_waits_for(const std::string& destination) const;
  Rng stream(std::uint64_t name) const { return Rng(Rng(seed_ ^ name * 0x9e3779b97f4a7c15ULL).next()); }

  void start_agent();
  void start_agent_in(Duration delay);
  void agent_serves();
  void bury_agent();
  bool step(Time limit);
  Source::Wire wire_to_agent();
  void carry_to_agent(http::Request request, Source::Answer answer);
  void plan_crash();
  void die(Fault how);
  void empty_disk();
  void apply_faults();
  void return_destinations();
  void restart_for_changes();
  Duration round_is_due() const;
  void drain_in_spite_of_it();
  bool drained() const;
  std::string still_waiting() const;

  const std::uint64_t seed_;
  boost::asio::io_context io_;
  SimClock clock_{io_};
  Rng rng_;
  Coverage coverage_;
  FaultCounts happened_;
  Oracle oracle_;
  std::uint64_t times_below_floor_ = 0;
  Disk disk_;
  DiskFaults disk_faults_;
  WorkerSpeed speed_;
  AgentOptions options_;
  double answer_lost_ = 0;
  bool healed_ = false;
  bool crash_armed_ = false;
  bool burying_ = false;
  bool stopped_in_order_ = false;
  int crashes_ = 0;
  std::uint64_t agents_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<std::function<void()>> at_crashes_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::unique_ptr<Stranger>> strangers_;
  std::unique_ptr<Agent> agent_;
  Audit audit_{oracle_, disk_, clock_};
};

}  // namespace tideover::sim
