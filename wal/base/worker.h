// A thread for calls that block, as seen from the io executor; the simulator runs the same jobs on its clock.
//
// Jobs run one after the other in the order submitted. `done` runs on the io executor after its job.
// A job that was submitted always runs, and so does its `done`, as long as the io executor runs. An empty
// `done` wakes nobody.
#pragma once

#include <functional>

namespace tideover {

class Worker {
 public:
  virtual ~Worker() = default;
  virtual void submit(std::function<void()> job, std::function<void()> done) = 0;
};

}  // namespace tideover
