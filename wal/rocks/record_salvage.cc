#include "wal/rocks/record_salvage.h"

#include <string_view>

#include "wal/rocks/careful_reader.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// RocksDB puts its own eight bytes (sequence number and type) between our key and the value.
constexpr std::size_t kTrailerBytes = 8;
constexpr std::size_t kBeforeValue = kRecordKeyBytes + kTrailerBytes;

}  // namespace

Result<> salvage_table(CarefulReader& reader, const std::string& path,
                       const std::function<bool(LaneId, StoredRecord)>& take) {
  const auto file = reader.read_file(path);
  if (!file) return file.error().code == Errc::not_found ? Result<>() : file.error();
  const std::string_view bytes = *file;
  std::size_t at = kBeforeValue;
  while (at < bytes.size()) {
    at = find_envelope(bytes, at);
    if (at == std::string_view::npos) break;
    const auto key = parse_record_key(bytes.substr(at - kBeforeValue, kRecordKeyBytes));
    auto record =
        open_envelope(std::make_shared<std::string>(bytes.substr(at, envelope_extent(bytes.substr(at)))));
    if (!record || !key || key->seq != record->seq) {
      ++at;
      continue;
    }
    at += record->bytes->size() + kBeforeValue;
    if (!take(key->lane, std::move(*record))) break;
  }
  return {};
}

}  // namespace tideover::wal
