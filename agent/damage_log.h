// What the disk has lost, as lines in the log: the counters say it for ever, but whoever is on call reads the
// log first. Told from a destination's accounts, whenever somebody looks at them: one line for all that was
// passed over since the last look.
//
// Executor: io.
#pragma once

#include <cstdint>
#include <string>

#include "forwarders/sender.h"

namespace tideover {

class DamageLog {
 public:
  // What is in the accounts by now was told in an earlier life.
  DamageLog(std::string signal, std::string destination, const forward::SenderStatus& found);

  void look(const forward::SenderStatus& status);

 private:
  const std::string signal_;
  const std::string destination_;
  std::uint64_t told_;  // samples, of all lanes
};

}  // namespace tideover
