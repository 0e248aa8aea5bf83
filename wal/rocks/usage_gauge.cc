#include "wal/rocks/usage_gauge.h"

#include <filesystem>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <system_error>

#include "wal/rocks/handle.h"
#include "wal/rocks/options.h"
#include "wal/store_directory.h"

namespace tideover::wal {

std::uint64_t UsageGauge::disk_bytes(const std::string& directory) {
  using std::chrono::steady_clock;
  const auto now = steady_clock::now().time_since_epoch().count();
  constexpr auto kInterval = steady_clock::duration(std::chrono::seconds(10)).count();
  auto last = disk_bytes_at_.load(std::memory_order_relaxed);
  if ((last == 0 || now - last >= kInterval) && disk_bytes_at_.compare_exchange_strong(last, now))
    disk_bytes_.store(used_bytes(directory), std::memory_order_relaxed);
  return disk_bytes_.load(std::memory_order_relaxed);
}

std::uint64_t UsageGauge::memory_bytes(const RocksSetup& setup, const RocksHandle& handle) {
  std::uint64_t sum = setup.cache->GetUsage();
  for (const std::string& property :
       {rocksdb::DB::Properties::kSizeAllMemTables, rocksdb::DB::Properties::kEstimateTableReadersMem}) {
    std::uint64_t bytes = 0;
    if (handle.db().GetAggregatedIntProperty(property, &bytes)) sum += bytes;
  }
  memory_bytes_.store(sum, std::memory_order_relaxed);
  return sum;
}

std::uint64_t room_to_open(const std::string& directory) {
  constexpr std::uint64_t kBesideLogs = 4 << 20;  // manifests and a new log
  std::error_code ignored;
  std::uint64_t log_bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory, ignored)) {
    const std::uintmax_t size = file.path().extension() == ".log" ? file.file_size(ignored) : 0;
    if (!ignored) log_bytes += size;
  }
  return log_bytes + kBesideLogs;
}

}  // namespace tideover::wal
