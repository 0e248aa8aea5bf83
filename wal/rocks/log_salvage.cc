#include "wal/rocks/log_salvage.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "wal/base/little_endian.h"
#include "wal/rocks/careful_reader.h"
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

// A log, a few blocks at a time.
class LogFile {
 public:
  LogFile(CarefulReader& reader, const std::string& path) : reader_(reader), path_(path) {}

  std::string_view block(std::uint64_t number) {
    if (number < first_ || number >= first_ + kBlocks || bytes_.empty()) {
      auto bytes = reader_.read_file(path_, number * kLogBlock, kBlocks * kLogBlock);
      if (!bytes) error_ = bytes.error();
      bytes_ = bytes ? std::move(*bytes) : std::string();
      first_ = number;
    }
    const std::size_t at = (number - first_) * kLogBlock;
    return at < bytes_.size() ? std::string_view(bytes_).substr(at, kLogBlock) : std::string_view();
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  static constexpr std::uint64_t kBlocks = 32;

  CarefulReader& reader_;
  const std::string& path_;
  std::uint64_t first_ = 0;
  std::string bytes_;
  std::optional<Error> error_;
};

void append_record(std::string& log, std::string_view record) {
  bool first = true;
  do {
    std::size_t left = kLogBlock - log.size() % kLogBlock;
    if (left < kLogHeader) {
      log.append(left, '\0');
      left = kLogBlock;
    }
    const std::string_view data = record.substr(0, left - kLogHeader);
    record.remove_prefix(data.size());
    const bool last = record.empty();
    const char type = first ? (last ? kFull : kFirst) : (last ? kLast : kMiddle);
    append_le(log, masked_log_crc(type, data));
    append_le(log, static_cast<std::uint16_t>(data.size()));
    log.push_back(type);
    log += data;
    first = false;
  } while (!record.empty());
}

// A log being written anew, record by record.
class CleanLog {
 public:
  void keep(std::string_view batch) {
    const BatchReader reader(batch);
    if (reader.has_header()) {
      // What was rescued before any sequence number was known stands just below the first one.
      if (sequence_ == 0 && rescued_.count() > 0)
        flush(reader.sequence() > rescued_.count() ? reader.sequence() - rescued_.count() : 1);
      sequence_ = reader.sequence() + reader.count();
    }
    append_record(log_, batch);
  }
  void put(const BatchOperation& put) { rescued_.put(put.family, put.key, put.value); }
  // A damaged stretch has ended: what was put in its place comes before what follows it.
  void end_stretch() {
    if (rescued_.count() > 0 && sequence_ != 0) flush(sequence_);
  }
  std::string finish() {
    if (rescued_.count() > 0) flush(std::max<std::uint64_t>(sequence_, 1));
    return std::move(log_);
  }

 private:
  void flush(std::uint64_t sequence) {
    sequence_ = sequence + rescued_.count();
    append_record(log_, rescued_.finish(sequence));
  }

  std::string log_;
  BatchBuilder rescued_;
  std::uint64_t sequence_ = 0;  // of the next operation; 0: not known yet
};

}  // namespace

Result<LogFindings> look_through_log(CarefulReader& reader, const std::string& path, LogFacts& facts) {
  LogFile file(reader, path);
  LogWalker walker([&file](std::uint64_t number) { return file.block(number); });
  LogFindings findings;
  std::optional<std::uint64_t> damaged_since;
  while (const auto piece = walker.next()) {
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
  findings.damaged = findings.damaged || tail.damaged();
  findings.lost_at_tail = tail.records;
  return findings;
}

std::string clean_log(const std::string& path) { return path + ".clean"; }

std::string log_to_read(const std::string& path) {
  return ::access(clean_log(path).c_str(), F_OK) == 0 ? clean_log(path) : path;
}

Result<std::uint64_t> read_log(CarefulReader& reader, const std::string& path,
                               const std::function<bool(std::string_view)>& take) {
  LogFile file(reader, path);
  LogWalker walker([&file](std::uint64_t number) { return file.block(number); });
  std::uint64_t dropped = 0;
  while (const auto piece = walker.next()) {
    if (!piece->intact)
      dropped += piece->end - piece->begin;
    else if (!take(piece->record))
      break;
  }
  if (file.error()) return *file.error();
  return dropped;
}

Result<LogSalvage> salvage_log(CarefulReader& reader, const std::string& path,
                               const std::string& lost_directory, const LogFacts& facts) {
  const auto bytes = reader.read_file(path);
  if (!bytes) return bytes.error();
  const LogTail tail = inspect_log_tail(*bytes);
  LogSalvage outcome;
  CleanLog clean;
  LogWalker walker(*bytes);
  while (const auto piece = walker.next()) {
    if (piece->intact) {
      clean.keep(piece->record);
      ++outcome.kept_groups;
      continue;
    }
    // What is torn was never acknowledged.
    const bool at_end = piece->end == bytes->size() && piece->begin == tail.begin;
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
