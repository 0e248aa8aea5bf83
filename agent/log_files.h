// The files of logs that a node's configuration names, as a part of the logs signal: what reads them, where
// it reads, and the thread on which it may wait for the disk.
//
// Executor: io. Life: once the lane is open; spawn(), stop(), then join what was spawned.
#pragma once

#include <memory>
#include <string>

#include "agent/config/config.h"
#include "agent/signal.h"
#include "agent/tail/files.h"
#include "agent/tail/spool.h"
#include "wal/base/task_group.h"
#include "wal/base/worker.h"

namespace tideover {

class LogFiles {
 public:
  // The node's file system and a thread of its own; tests put theirs in place.
  struct Ports {
    std::shared_ptr<tail::Files> files;
    std::shared_ptr<Worker> worker;
  };

  // `config` names files. All references outlive it.
  LogFiles(const SignalParts& parts, const config::Logs& config, LaneId lane, Ports ports);

  void spawn(TaskGroup& tasks) { tasks.spawn(spool_.run()); }
  void stop() { spool_.stop(); }
  tail::SpoolStatus describe() { return spool_.describe(kLargest); }

 private:
  static constexpr std::size_t kLargest = 50;  // containers that status shows by themselves

  const Ports ports_;
  tail::Spool spool_;
};

}  // namespace tideover
