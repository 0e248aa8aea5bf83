#include "wal/rocks/record_salvage.h"

#include <string_view>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/record_scan.h"
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
  RecordScan scan(bytes, kBeforeValue, [bytes](std::size_t begin, std::size_t) {
    return bytes.substr(begin - kBeforeValue, kRecordKeyBytes);
  });
  while (auto found = scan.next())
    if (found->proved && !take(found->proved->key.lane, std::move(found->proved->record))) break;
  return {};
}

}  // namespace tideover::wal
