// One run: an agent under load is killed, or loses its power, again and again; in the end the account must
// hold.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/receiver.h"

namespace tideover::crash {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint32_t kills = 0;
  std::uint32_t power_cuts = 0;
  bool disk_lies = false;
  bool disk_trouble = false;   // for a while in every other life, the disk is full or its syncs fail
  bool read_faults = false;    // places of files that cannot be read, for a while or for good
  bool harm_manifest = false;  // between lives, so that the next one builds the database anew
  Mischief mischief = Mischief::none;
  std::filesystem::path binary;
  std::filesystem::path disk_library;
  std::filesystem::path directory;  // of this run, created
};

struct Outcome {
  Findings findings;
  std::uint32_t kills = 0, power_cuts = 0;
  std::uint32_t before_ready = 0;  // of both: no request had been answered in that life
  std::uint32_t at_new_file = 0;   // of the kills
  bool harms = false;              // was to:
  std::uint32_t harmed = 0;        // manifests that were damaged
  std::uint64_t unreadable_places = 0, unreadable_for_good = 0, failed_reads = 0;
  std::string unreadable_history;
  std::uint64_t counted_samples = 0;  // that the agent says are missing
  std::uint64_t counted_records = 0;  // beside them: of a log's last groups, as its log says
  std::uint64_t acknowledged_requests = 0, refused_requests = 0, delivered_requests = 0;
  bool drained = false;
  std::string failure;  // why the run ended early; empty when it did not

  // What is missing is to be counted; of a log's last groups only a number of records is known, and when not
  // a byte of them can be read only that there were some.
  bool counted() const { return findings.unreadable <= counted_samples || counted_records > 0; }
  // A run that is to harm manifests proves little when hardly a life found one.
  bool harmed_enough() const { return !harms || 3 * harmed >= kills + power_cuts; }
  bool clean() const {
    return harmed_enough() && failure.empty() && drained && findings.clean() && counted() &&
           findings.acknowledged > 0;
  }
};

Outcome run(const RunOptions& options);

}  // namespace tideover::crash
