#include "wal/rocks/record_scan.h"

#include <memory>
#include <string>
#include <utility>

namespace tideover::wal {

std::optional<ProvedRecord> prove_record(std::string_view key, std::string_view value) {
  const auto parsed = parse_record_key(key);
  if (!parsed) return std::nullopt;
  auto record = open_envelope(std::make_shared<std::string>(value));
  if (!record || record->seq != parsed->seq) return std::nullopt;
  return ProvedRecord{*parsed, std::move(*record)};
}

std::optional<RecordScan::Found> RecordScan::next() {
  Found found;
  found.begin = find_envelope(bytes_, at_);
  if (found.begin == std::string_view::npos) return std::nullopt;
  const std::size_t size = envelope_extent(bytes_.substr(found.begin));
  found.end = found.begin + size;
  found.proved = prove_record(key_of_(found.begin, size), bytes_.substr(found.begin, size));
  at_ = found.proved ? found.end : found.begin + 1;
  return found;
}

}  // namespace tideover::wal
