// A store of the shipped agent is damaged in one place, and the agent started on it: what is delivered, what
// is missing, and whether the agent knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/samples.h"

namespace tideover::crash {

enum class Harm : std::uint8_t { flip, cut, empty, remove };
const char* to_string(Harm harm);

struct Trial {
  std::string file;  // in the store's directory
  Harm harm = Harm::flip;
  std::uint64_t at = 0;  // of a flip: the byte; of a cut: what is left
};

struct Verdict {
  bool started = false;
  double ready_s = 0;
  Findings findings;
  std::uint64_t counted_samples = 0;  // said by the agent to be lost to damage
  std::uint64_t counted_records = 0;
  bool in_balance = false;
  bool noted = false;   // a warning or error in the log that speaks of the store
  std::string failure;  // empty when it started, drained and stopped
};

// An agent's directory as kill -9 left it, in the midst of an outage: tables, a log with the newest records,
// and cursors that had moved before. Everything offered was acknowledged.
class DamagedStores {
 public:
  DamagedStores(std::filesystem::path binary, std::filesystem::path directory, std::uint64_t seed,
                std::uint64_t requests);

  std::vector<std::filesystem::path> files() const;  // that a trial may harm, sorted
  Verdict run(const Trial& trial);
  std::filesystem::path last_log() const;
  std::filesystem::path store() const;

 private:
  void write_everything(std::uint64_t seed, std::uint64_t requests);

  const std::filesystem::path binary_, directory_;
  const std::uint16_t write_port_, admin_port_;
  std::unique_ptr<Samples> samples_;
  std::unique_ptr<Account> written_;
};

}  // namespace tideover::crash
