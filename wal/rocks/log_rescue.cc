#include "wal/rocks/log_rescue.h"

#include <algorithm>
#include <memory>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_format.h"
#include "wal/wal_format.h"

namespace tideover::wal {

std::string unframed(std::string_view log, std::size_t begin, std::size_t end) {
  std::string data;
  data.reserve(end - begin);
  while (begin + kLogHeader < end) {
    const std::size_t block_end = std::min(end, (begin / kLogBlock + 1) * kLogBlock);
    data += log.substr(begin + kLogHeader, block_end - std::min(block_end, begin + kLogHeader));
    begin = block_end;
  }
  return data;
}

namespace {

// A put of one of our records, as it was written.
bool is_intact(const BatchOperation& put) {
  const auto key = parse_record_key(put.key);
  const auto record = key ? open_envelope(std::make_shared<std::string>(put.value))
                          : Result<StoredRecord>(fail(Errc::corrupt, "no record's key"));
  return record && record->seq == key->seq;
}

bool looks_like_record(const BatchOperation& operation) {
  return operation.put && operation.key.size() == kRecordKeyBytes && operation.value.size() >= kEnvelopeBytes;
}

// Of a batch whose structure is whole: every record in it is known.
void rescue_batch(std::string_view batch, LogRescue& rescue) {
  BatchReader reader(batch);
  for (std::uint32_t i = 0; i < reader.count(); ++i) {
    const auto operation = reader.next();
    if (!operation || !looks_like_record(*operation)) continue;
    if (is_intact(*operation))
      rescue.records.push_back(*operation);
    else
      ++rescue.lost;
  }
}

}  // namespace

LogRescue rescue_records(std::string_view stretch) {
  LogRescue rescue;
  std::size_t at = batch_extent(stretch).value_or(0);
  if (at > 0) rescue_batch(stretch.substr(0, at), rescue);
  // From here on by the envelopes. One that cannot be read shows by that alone, and hides those beside it.
  const auto passed_unreadable = [&](std::size_t to) {
    if (holds_unreadable(stretch.substr(at, to - at))) ++rescue.lost;
  };
  while (true) {
    const std::size_t found = find_envelope(stretch, at);
    passed_unreadable(std::min(found, stretch.size()));
    if (found == std::string_view::npos) return rescue;
    const std::size_t end = found + envelope_extent(stretch.substr(found));
    const auto put = put_before(stretch, found, end - found, kRecordKeyBytes);
    if (put && is_intact(*put)) {
      rescue.records.push_back(*put);
      at = end;
    } else {
      // Its length may be what is damaged: the next one may begin before this one seems to end.
      ++rescue.lost;
      at = std::min(end, find_envelope(stretch, found + 1));
    }
  }
}

}  // namespace tideover::wal
