#include "wal/rocks/log_tail.h"

#include <algorithm>
#include <optional>
#include <string>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_format.h"
#include "wal/rocks/log_rescue.h"
#include "wal/rocks/write_batch_format.h"

namespace tideover::wal {
namespace {

constexpr std::size_t kSector = 512;

bool has_blank_sector(std::string_view log, std::size_t from, std::size_t to) {
  while (from < to) {
    const std::size_t end = std::min(to, (from / kSector + 1) * kSector);
    if (log.substr(from, end - from).find_first_not_of('\0') == std::string_view::npos) return true;
    from = end;
  }
  return false;
}

// Where a record ends that begins at `at` and holds `size` bytes.
std::size_t framed_end(std::size_t at, std::size_t size) {
  for (std::size_t room; size > (room = kLogBlock - at % kLogBlock - kLogHeader); size -= room)
    at += kLogHeader + room;
  return at + kLogHeader + size;
}

// The same, by what the headers of its fragments say.
std::optional<std::size_t> framed_end(std::string_view log, std::size_t at) {
  while (const auto fragment = fragment_at(log, at)) {
    at += fragment->size();
    if (fragment->type == kFull || fragment->type == kLast) return at;
    if (at % kLogBlock != 0) break;  // only at the end of a block it goes on
  }
  return std::nullopt;
}

// Where a damaged record ends, if it was written whole. One flip leaves one of the two to go by: the batch
// itself, or the headers of its fragments. What cannot be read was written, and so was what lies before it.
std::optional<std::size_t> whole_end(std::string_view log, std::size_t at) {
  const auto by_batch = batch_extent(unframed(log, at, log.size()));
  const auto end = by_batch ? framed_end(at, *by_batch) : framed_end(log, at);
  if (end) return end;
  return holds_unreadable(log.substr(at)) ? std::optional(log.size()) : std::nullopt;
}

}  // namespace

LogTail inspect_log_tail(std::string_view log, std::size_t since) {
  LogTail tail;
  tail.begin = tail.end = since;
  for (std::size_t at = fragment_begin(since); at < log.size();) {
    const auto end = whole_end(log, at);
    if (!end) break;  // torn
    if (!has_blank_sector(log, at, *end)) {
      const std::string stretch = unframed(log, at, *end);
      tail.records += rescue_records(stretch).lost;
      tail.end = *end;
    }
    at = fragment_begin(*end);
  }
  return tail;
}

}  // namespace tideover::wal
