#include "wal/rocks/log_rescue.h"

#include <algorithm>
#include <optional>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_format.h"
#include "wal/rocks/record_scan.h"
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

bool looks_like_record(const BatchOperation& operation) {
  return operation.put && operation.key.size() == kRecordKeyBytes && operation.value.size() >= kEnvelopeBytes;
}

// Of a batch whose structure is whole: every record in it is known.
void rescue_batch(std::string_view batch, LogRescue& rescue) {
  BatchReader reader(batch);
  for (std::uint32_t i = 0; i < reader.count(); ++i) {
    const auto operation = reader.next();
    if (!operation || !looks_like_record(*operation)) continue;
    if (prove_record(operation->key, operation->value))
      rescue.records.push_back(*operation);
    else
      ++rescue.lost;
  }
}

}  // namespace

LogRescue rescue_records(std::string_view stretch) {
  LogRescue rescue;
  std::size_t seen = batch_extent(stretch).value_or(0);
  if (seen > 0) rescue_batch(stretch.substr(0, seen), rescue);
  // From here on by the envelopes. One that cannot be read shows by that alone, and hides those beside it.
  const auto passed_unreadable = [&](std::size_t to) {
    if (seen < to && holds_unreadable(stretch.substr(seen, to - seen))) ++rescue.lost;
  };
  std::optional<BatchOperation> put;
  RecordScan scan(stretch, seen, [&](std::size_t begin, std::size_t size) {
    put = put_before(stretch, begin, size, kRecordKeyBytes);
    return put ? put->key : std::string_view();
  });
  while (const auto found = scan.next()) {
    passed_unreadable(found->begin);
    seen = found->end;
    if (found->proved)
      rescue.records.push_back(*put);
    else
      ++rescue.lost;
  }
  passed_unreadable(stretch.size());
  return rescue;
}

}  // namespace tideover::wal
