// A receiver and the way to it, and the words in which a test speaks of both.
#pragma once

#include <cstdint>

#include "tests/sim/oracle.h"
#include "tests/support/receiver_model.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_network.h"

namespace tideover::sim {

class World;

struct Site {
  // All outlive the site.
  Site(SimClock& clock, Rng receiver_luck, Rng network_luck, Oracle& oracle, std::string destination,
       FaultCounts& happened);

  void apply();  // the settings below
  // Whether it ever refused what it had stored, though nobody could know.
  void note_confusion();
  bool confusing() const { return confusing_; }

  const std::string destination;  // whose receiver it is
  ReceiverModel receiver;
  SimNetwork network;
  ReceiverRules rules;
  ReceiverFaults faults;
  Weather weather;
  Duration down_min{};
  Duration down_max{};

 private:
  bool confusing_ = false;
};

class Thanos {
 public:
  Thanos(World& world, Site& site) : world_(world), site_(site) {}

  Thanos& fails(double often);                // 500 or 503, nothing stored
  Thanos& fails_after_storing(double often);  // all of it
  Thanos& fails_partway(double often);        // some of it
  Thanos& chokes(double share);               // 500 for whatever holds one of so many samples
  Thanos& throttles(double often);            // 429
  Thanos& forbids(double often);              // 401 or 404
  Thanos& refuses_type(double often);         // 415 to 1.0
  Thanos& miscounts(double often);            // the Written headers of 2.0
  Thanos& loses_replies(double often);
  Thanos& breaks_replies(double often);  // off in the middle, or no HTTP at all
  Thanos& resets(double often);          // before or after it acted
  Thanos& answers_slowly(double often);  // up to 90 s, past the deadline
  Thanos& answers_late(double often);    // the same, having acted at once; or twice
  Thanos& hears_twice(double often);     // behind a proxy that repeats requests
  Thanos& is_away(Duration latency);
  Thanos& lies_behind(const LineOptions& line);
  Thanos& is_gone();  // until the world heals
  Thanos& window(Duration out_of_order);
  Thanos& is_prometheus();
  Thanos& is_cortex();
  Thanos& takes_at_most(std::size_t samples, std::size_t bytes = 0);
  Thanos& answers_up_to(std::size_t samples);  // what is larger is stored, and never answered
  Thanos& never_admits(double share);          // samples that are outside any window
  Thanos& refuses_every_size(bool yes = true);
  Thanos& mumbles(bool yes = true);
  Thanos& takes_labels_up_to(std::size_t bytes);
  // Every ten minutes or so, and now and then while the agent is down:
  Thanos& changes_its_limits();
  Thanos& changes_its_window();
  Thanos& restarts(bool loses_head);
  // Every ten minutes or so:
  Thanos& moves();                                 // and what it leaves behind goes on answering
  Thanos& down_for(Duration min, Duration max);    // in one way or another
  Thanos& has_other_writers(Duration ahead = {});  // whose samples move its head, their clocks being ahead

 private:
  void begin_outage();

  World& world_;
  Site& site_;
};

}  // namespace tideover::sim
