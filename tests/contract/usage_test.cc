// The figures by which the agent refuses new data and tells how long an outage would fit.
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <utility>

#include "tests/contract/disks.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"

namespace tideover::wal {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

// Free and total, as somebody sees them who does not ask the store.
std::pair<std::uint64_t, std::uint64_t> file_system(MemDisk& disk) {
  static_cast<MemStore&>(disk.store()).set_free_bytes(3 * kGiB);
  static_cast<MemStore&>(disk.store()).set_total_bytes(5 * kGiB);
  return {3 * kGiB, 5 * kGiB};
}
std::pair<std::uint64_t, std::uint64_t> file_system(RocksDisk& disk) {
  struct statvfs volume {};
  REQUIRE(::statvfs(disk.directory().c_str(), &volume) == 0);
  return {std::uint64_t{volume.f_bavail} * volume.f_frsize, std::uint64_t{volume.f_blocks} * volume.f_frsize};
}

// What the files of the store take, as du counts it.
std::uint64_t allocated(MemDisk& disk) { return disk.store().usage().disk_bytes; }
std::uint64_t allocated(RocksDisk& disk) {
  std::uint64_t blocks = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(disk.directory())) {
    struct stat info {};
    REQUIRE(::lstat(entry.path().c_str(), &info) == 0);
    blocks += static_cast<std::uint64_t>(info.st_blocks);
  }
  return 512 * blocks;
}

}  // namespace

TEMPLATE_TEST_CASE("usage names the file system's figures, and what the store takes of it", "[store]",
                   MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(LaneId{7});
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put(std::string(1'000'000, 'x'))})));
  const auto [free, total] = file_system(disk);
  const StoreUsage usage = disk.store().usage();
  CHECK(usage.total_bytes == total);
  // Others write to this file system, too, but not a tenth of it in a millisecond.
  CHECK(static_cast<double>(usage.free_bytes) == Approx(static_cast<double>(free)).epsilon(0.1));
  CHECK(usage.disk_bytes >= 1'000'000);
  CHECK(usage.disk_bytes == allocated(disk));
}

}  // namespace tideover::wal
