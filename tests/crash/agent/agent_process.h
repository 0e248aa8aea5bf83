// The agent as it ships, on a directory and ports of its own; on request on the disk of tests/crash/disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace tideover::crash {

struct DiskFaults {
  std::filesystem::path library;
  std::uint64_t seed = 0;
  std::string cut;      // "any:37"; empty: the power stays
  std::string trouble;  // "full:100:50", "eio:7:1"
  std::uint64_t sync_us_max = 0;
  bool lies = false;
  std::filesystem::path bad_sectors;  // their table; empty: all can be read
};

struct AgentPlace {
  std::filesystem::path binary;
  std::filesystem::path root;  // of everything that belongs to one run
  std::uint16_t write_port = 0;
  std::uint16_t admin_port = 0;

  std::filesystem::path disk() const { return root / "disk"; }
  // Not there at the start: that it is created durably is part of the promise.
  std::filesystem::path data() const { return disk() / "var" / "lib"; }
  std::filesystem::path store() const { return data() / "store"; }
  std::filesystem::path log(std::uint32_t life) const;

  void write_config(std::uint16_t receiver_port) const;
};

class AgentProcess {
 public:
  AgentProcess(const AgentPlace& place, std::uint32_t life, const std::optional<DiskFaults>& faults);
  ~AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  void signal(int number) const;
  // The wait status once it has ended.
  std::optional<int> ended();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace tideover::crash
