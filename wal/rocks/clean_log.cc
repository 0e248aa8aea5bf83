#include "wal/rocks/clean_log.h"

#include <algorithm>
#include <utility>

#include "wal/base/little_endian.h"
#include "wal/rocks/log_format.h"

namespace tideover::wal {
namespace {

void append_record(std::string& log, std::string_view record) {
  bool first = true;
  do {
    log.append(fragment_begin(log.size()) - log.size(), '\0');
    const std::string_view data = record.substr(0, kLogBlock - log.size() % kLogBlock - kLogHeader);
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

}  // namespace

void CleanLog::keep(std::string_view batch) {
  const BatchReader reader(batch);
  if (reader.has_header()) {
    // What was rescued before any sequence number was known stands just below the first one.
    if (sequence_ == 0 && rescued_.count() > 0)
      flush(reader.sequence() > rescued_.count() ? reader.sequence() - rescued_.count() : 1);
    sequence_ = reader.sequence() + reader.count();
  }
  append_record(log_, batch);
}

void CleanLog::put(const BatchOperation& put) { rescued_.put(put.family, put.key, put.value); }

void CleanLog::end_stretch() {
  if (rescued_.count() > 0 && sequence_ != 0) flush(sequence_);
}

std::string CleanLog::finish() {
  if (rescued_.count() > 0) flush(std::max({sequence_, least_, std::uint64_t{1}}));
  return std::move(log_);
}

void CleanLog::flush(std::uint64_t sequence) {
  sequence_ = sequence + rescued_.count();
  append_record(log_, rescued_.finish(sequence));
}

}  // namespace tideover::wal
