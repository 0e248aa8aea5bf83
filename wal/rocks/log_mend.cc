#include "wal/rocks/log_mend.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "wal/rocks/log_file.h"
#include "wal/store_directory.h"

namespace tideover::wal {

namespace fs = std::filesystem;

Result<Logs> look_through_logs(CarefulReader& reader, const std::string& directory) {
  const auto files = list_directory(directory);
  if (!files) return files.error();
  std::vector<std::string> logs;
  std::error_code error;
  for (const fs::path& file : *files)  // RocksDB opens the next log before it writes to it
    if (file.extension() == ".log" && fs::file_size(file, error) > 0) logs.push_back(file.string());
  // Numbers have six digits and more: the longer name is the larger number.
  std::sort(logs.begin(), logs.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });

  Logs found;
  for (const std::string& log : logs) {
    const std::uint64_t sequence = found.facts.next_sequence;
    const auto findings = look_through_log(reader, log, found.facts);
    if (!findings) return findings.error();
    if (findings->damaged) found.damaged.push_back({log, sequence});
    found.lost_at_tail = findings->lost_at_tail;  // in the end, of the newest
  }
  return found;
}

namespace {

// A log stands for a damaged one in the opening that wrote it. What an earlier life left may belong to no
// log, or to another one, since a database that was built anew gives its numbers again: read instead of that,
// it would cost all that is in it.
Result<> remove_stale(const std::string& directory) {
  const auto files = list_directory(directory);
  if (!files) return files.error();
  std::error_code error;
  for (const fs::path& file : *files) {
    if (clean_log(fs::path(file).replace_extension().string()) != file.string()) continue;
    fs::remove(file, error);
    if (error) return system_error(error.value(), "remove " + file.string());
  }
  return {};
}

}  // namespace

Result<> mend_logs(CarefulReader& reader, const Logs& logs, const std::string& lost_directory,
                   const std::function<void(const std::string&)>& note) {
  if (auto removed = remove_stale(fs::path(lost_directory).parent_path().string()); !removed) return removed;
  for (const DamagedLog& log : logs.damaged) {
    const auto salvaged = salvage_log(reader, log.path, lost_directory, logs.facts, log.sequence);
    if (!salvaged) return salvaged.error();
    note(fmt::format(
        "{} bytes of the log {} are damaged: its {} other groups are kept, {} records were taken out "
        "of damaged ones, and the original is in {}",
        salvaged->dropped_bytes, log.path, salvaged->kept_groups, salvaged->rescued_records, lost_directory));
  }
  if (logs.lost_at_tail > 0)
    note(
        fmt::format("the end of the newest log was damaged after it had been written: {} records are lost "
                    "with it",
                    logs.lost_at_tail));
  return {};
}

}  // namespace tideover::wal
