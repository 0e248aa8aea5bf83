// Places of an agent's files that cannot be read, chosen by chance, and what may be missing because of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <string>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/samples.h"
#include "tests/crash/disk/bad_sectors.h"

namespace tideover::crash {

class ReadFaults {
 public:
  // `directory`: of everything that the agent keeps. `account` hears what may be missing from now on.
  ReadFaults(std::filesystem::path directory, std::filesystem::path table, const Samples& samples,
             Account& account, std::uint64_t seed);

  // Some place of some file, mostly for a while. One sector at a time is bad for good: an older one heals.
  // `running`: an agent is writing at this moment.
  void strike(bool running);

  const std::filesystem::path& table() const { return table_; }
  std::uint64_t strikes() const { return strikes_; }
  std::uint64_t for_good() const { return for_good_; }
  std::uint64_t hits() const { return sectors_.hits(); }
  const std::string& history() const { return history_; }

 private:
  std::optional<std::filesystem::path> choose();
  disk::Extent place_in(const std::filesystem::path& file, bool running);

  const std::filesystem::path directory_, table_;
  const Samples& samples_;
  Account& account_;
  std::mt19937_64 random_;
  disk::BadSectors sectors_;
  std::optional<disk::BadSectors::Id> lasting_;
  std::uint64_t strikes_ = 0, for_good_ = 0;
  std::string history_;
};

}  // namespace tideover::crash
