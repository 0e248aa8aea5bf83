// A store of the shipped agent is damaged in one place, or cannot be read there, and the agent started on it:
// what is delivered, what is missing, and whether the agent knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/samples.h"

namespace tideover::crash {

enum class Harm : std::uint8_t {
  flip,
  cut,
  empty,
  remove,
  unreadable,          // a page, for good
  unreadable_a_while,  // the first reads of it
  unreadable_whole,    // the file, for good
};
const char* to_string(Harm harm);
inline bool unreadable(Harm harm) { return harm >= Harm::unreadable; }

struct Trial {
  std::string file;  // in the store's directory
  Harm harm = Harm::flip;
  std::uint64_t at = 0;  // of a flip: the byte; of a cut: what is left; of an unreadable page: its first byte
};

struct Verdict {
  bool started = false;
  double ready_s = 0;
  Findings findings;
  std::uint64_t counted_samples = 0;  // said by the agent to be lost to damage
  std::uint64_t counted_records = 0;
  std::uint64_t last_group_records = 0;  // of them; how many samples they were is not known
  std::uint64_t failed_reads = 0;
  bool in_balance = false;
  bool noted = false;   // a warning or error in the log that speaks of the store
  std::string failure;  // empty when it started, drained and stopped
};

// An agent's directory as kill -9 left it, in the midst of an outage: tables, a log with the newest records,
// and cursors that had moved before. Everything offered was acknowledged.
class DamagedStores {
 public:
  // `disk`: the library of tests/crash/disk; empty: none, and every file can be read.
  DamagedStores(std::filesystem::path binary, std::filesystem::path disk, std::filesystem::path directory,
                std::uint64_t seed, std::uint64_t requests);

  std::vector<std::filesystem::path> files() const;  // that a trial may harm, sorted
  Verdict run(const Trial& trial);
  std::filesystem::path last_log() const;
  std::filesystem::path store() const;

 private:
  void write_everything(std::uint64_t seed, std::uint64_t requests);

  const std::filesystem::path binary_, disk_, directory_;
  const std::uint16_t write_port_, admin_port_;
  std::unique_ptr<Samples> samples_;
  std::unique_ptr<Account> written_;
};

}  // namespace tideover::crash
