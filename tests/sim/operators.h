// People who edit the agent's configuration while it runs: URLs change, destinations come and go and come
// back, budgets move, and what nobody wants any more is given up. Each edit takes effect with the next start.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/sim/world.h"

namespace tideover::sim {

class Operators {
 public:
  explicit Operators(World& world) : world_(world) {}  // outlives the operators

  void begin();  // an edit now and then, until the world heals

  // One edit each; false where there is nothing to edit so. The caller restarts the agent.
  bool change_url();
  bool remove();
  bool return_removed();
  bool add(wal::StartAt start);
  bool change_budget();
  bool change_requirement();
  bool give_up_removed();  // at once, in the running agent

 private:
  void edit();
  void crash_soon();
  DestinationOptions& any_destination();
  // Of those that were configured once and are not, one that the buffer still knows.
  std::optional<std::string> any_removed() const;

  World& world_;
  int added_ = 0;
};

}  // namespace tideover::sim
