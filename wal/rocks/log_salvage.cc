#include "wal/rocks/log_salvage.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "wal/base/little_endian.h"
#include "wal/rocks/careful_reader.h"
#include "wal/rocks/clean_log.h"
#include "wal/rocks/log_file.h"
#include "wal/rocks/log_format.h"
#include "wal/rocks/log_rescue.h"
#include "wal/rocks/log_tail.h"
#include "wal/rocks/log_walk.h"
#include "wal/rocks/meta.h"
#include "wal/rocks/write_batch_format.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

void gather(std::string_view batch, LogFacts& facts) {
  BatchReader reader(batch);
  if (!reader.has_header()) return;
  facts.next_sequence = std::max(facts.next_sequence, reader.sequence() + reader.count());
  for (std::uint32_t i = 0; i < reader.count(); ++i) {
    const auto operation = reader.next();
    if (!operation) return;
    const bool commit = operation->key == kCommitKey, format = operation->key == kFormatKey;
    if (!operation->put || !(commit || format || operation->key == kUnfinishedKey)) continue;
    const auto number = commit_of(operation->value);
    if (!number) continue;
    facts.meta_families.insert(operation->family);
    facts.last_commit = std::max(facts.last_commit, *number);
    if (format) facts.format = std::max(facts.format, format_of(operation->value).value_or(0));
  }
}

}  // namespace

Result<LogFindings> look_through_log(CarefulReader& reader, const std::string& path, LogFacts& facts) {
  LogFile file(reader, path);
  LogFindings findings;
  std::optional<std::uint64_t> damaged_since;
  while (const auto piece = file.next()) {
    if (piece->intact) {
      findings.damaged = findings.damaged || damaged_since;
      damaged_since.reset();
      gather(piece->record, facts);
    } else {
      damaged_since = piece->begin;
    }
  }
  if (file.error()) return *file.error();
  if (!damaged_since) return findings;
  const std::uint64_t block = *damaged_since / kLogBlock * kLogBlock;
  const auto end = reader.read_file(path, block);
  if (!end) return end.error();
  const LogTail tail = inspect_log_tail(*end, *damaged_since - block);
  // A torn end that cannot be read is no loss, but the log must be read from elsewhere (read_guard.h).
  findings.damaged = findings.damaged || tail.damaged() || holds_unreadable(*end);
  findings.lost_at_tail = tail.records;
  return findings;
}

Result<LogSalvage> salvage_log(CarefulReader& reader, const std::string& path,
                               const std::string& lost_directory, const LogFacts& facts,
                               std::uint64_t sequence) {
  const auto bytes = reader.read_file(path);
  if (!bytes) return bytes.error();
  LogSalvage outcome;
  LogTail tail;
  CleanLog clean(sequence);
  LogWalker walker(*bytes);
  while (const auto piece = walker.next()) {
    if (piece->intact) {
      clean.keep(piece->record);
      ++outcome.kept_groups;
      continue;
    }
    // What is torn was never acknowledged.
    const bool at_end = piece->end == bytes->size();
    if (at_end) tail = inspect_log_tail(*bytes, piece->begin);
    const std::uint64_t end = at_end ? tail.end : piece->end;
    if (end <= piece->begin) continue;
    const std::string stretch = unframed(*bytes, piece->begin, end);
    const LogRescue rescue = rescue_records(stretch);
    for (const BatchOperation& put : rescue.records) clean.put(put);
    clean.end_stretch();
    outcome.rescued_records += rescue.records.size();
    outcome.dropped_bytes += end - piece->begin;
  }
  // What is damaged may be the end of a group in parts, which nobody could write before all its parts were
  // durable: that group is whole.
  if (tail.damaged()) {
    std::string finished;
    append_le(finished, facts.last_commit);
    for (const std::uint32_t family : facts.meta_families)
      clean.put({true, family, kUnfinishedKey, finished});
  }

  // Crash after the link: the log has two names and is looked through again. Crash after the writing: the
  // same, until RocksDB has taken the log in and deletes it (read_guard.h).
  ::mkdir(lost_directory.c_str(), 0700);
  const std::string kept = lost_directory + "/" + std::filesystem::path(path).filename().string();
  ::unlink(kept.c_str());
  if (::link(path.c_str(), kept.c_str()) != 0) return system_error(errno, "keep " + path);
  if (auto written = replace_file(clean_log(path), clean.finish()); !written) return written.error();
  return outcome;
}

}  // namespace tideover::wal
