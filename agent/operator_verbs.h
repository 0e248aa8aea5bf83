// What operators ask of the signals that are on, one of them by its name, or all.
//
// Executor: io.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/admin/rejects.h"
#include "agent/config/config.h"
#include "agent/signal.h"
#include "wal/base/worker.h"

namespace tideover {

class OperatorVerbs {
 public:
  // All outlive this; `signals` may still grow.
  OperatorVerbs(const std::vector<std::unique_ptr<Signal>>& signals, const config::Config& config,
                wal::Store& store, Worker& reader, wal::Queue& queue)
      : signals_(signals), config_(config), store_(store), reader_(reader), queue_(queue) {}

  // Where one signal is on it needs no name. Errors: not_found, bad_input, and those of the signal.
  Result<> drop_cursor(std::string_view signal, std::string_view destination) const;
  Result<> retry_now(std::string_view signal) const;  // without a name: of all
  awaitable<Result<admin::RejectPage>> rejects(std::string signal, std::string destination, Seq from) const;

 private:
  Result<Signal*> find(std::string_view name) const;

  const std::vector<std::unique_ptr<Signal>>& signals_;
  const config::Config& config_;
  wal::Store& store_;
  Worker& reader_;
  wal::Queue& queue_;
};

}  // namespace tideover
