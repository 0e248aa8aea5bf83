// A directory that a newer version wrote is refused, and left as it is, byte for byte: before the format is
// known nothing is repaired, whatever else is wrong with it.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "wal/base/little_endian.h"
#include "wal/rocks/store_format.h"
#include "wal/wal_format.h"

namespace tideover::wal {

namespace fs = std::filesystem;

namespace {

const std::string kNewer = std::to_string(kFormatVersion + 1);

RocksOptions options(const std::string& directory) {
  return {.directory = directory, .ballast_bytes = 0, .memtable_bytes = 64 << 10, .note = {}};
}

// By this version's hands, with a number of the next one.
void write_newer(const std::string& directory, bool in_tables) {
  RocksStore store(options(directory));
  REQUIRE(store.open());
  LaneWriter lane(kMetrics);
  REQUIRE(store.commit(batch_of({lane.put("first")}, {{"format", kNewer}, {"commit", "1"}})));
  if (!in_tables) return;
  // The log that names the format goes when others have been filled: its meta is in a table then.
  for (int group = 2; group < 3000; ++group)
    REQUIRE(
        store.commit(batch_of({lane.put(std::string(14'000, 'x'))}, {{"commit", std::to_string(group)}})));
}

std::map<std::string, std::string> content_of(const std::string& directory) {
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || entry.path().filename() == "OWNER") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    content[entry.path().string()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return content;
}

void check_refused_and_untouched(const std::string& directory) {
  const auto before = content_of(directory);
  RocksStore store(options(directory));
  const auto image = store.open();
  REQUIRE_FALSE(image);
  CHECK(image.error().code == Errc::store_refused);
  CHECK(image.error().detail.find("is in format " + kNewer) != std::string::npos);
  CHECK(content_of(directory) == before);
}

void empty_manifests(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().filename().string().starts_with("MANIFEST-")) fs::resize_file(entry.path(), 0);
}

}  // namespace

TEST_CASE("a newer format is refused by its file alone", "[crash]") {
  const bool damaged = GENERATE(false, true);
  TempDirectory root;
  const std::string directory = root / "store";
  { REQUIRE(RocksStore(options(directory)).open()); }
  REQUIRE(write_format_file(directory, kFormatVersion + 1));
  if (damaged) empty_manifests(directory);
  check_refused_and_untouched(directory);
}

TEST_CASE("a newer format is refused by what the log says, in a damaged directory, too", "[crash]") {
  const bool damaged = GENERATE(false, true);
  TempDirectory root;
  const std::string directory = root / "store";
  write_newer(directory, false);
  if (GENERATE(false, true)) fs::remove(fs::path(directory) / kFormatName);
  if (damaged) empty_manifests(directory);
  check_refused_and_untouched(directory);
}

TEST_CASE("a newer format is refused by what a table says, before anything is built anew", "[crash]") {
  TempDirectory root;
  const std::string directory = root / "store";
  write_newer(directory, true);
  empty_manifests(directory);
  check_refused_and_untouched(directory);
}

TEST_CASE("a damaged format file refuses nothing, and is written anew", "[crash]") {
  TempDirectory root;
  const std::string directory = root / "store";
  { REQUIRE(RocksStore(options(directory)).open()); }
  const std::string file = directory + "/" + kFormatName;
  const auto size = fs::file_size(file);
  for (std::uintmax_t at = 0; at < size; ++at) {
    flip(file, at);
    INFO("byte " << at);
    REQUIRE(RocksStore(options(directory)).open());
    CHECK(fs::file_size(file) == size);
  }
  fs::remove(file);
  REQUIRE(RocksStore(options(directory)).open());
  CHECK(fs::file_size(file) == size);
}

TEST_CASE("a rebuild keeps records of a kind that it does not know where they are", "[crash]") {
  TempDirectory root;
  const std::string directory = root / "store";
  const auto record_keys = [&] {
    std::uint64_t found = 0;
    for (const auto& [path, bytes] : content_of(directory))
      for (std::size_t at = bytes.find("of a later kind"); at != std::string::npos;
           at = bytes.find("of a later kind", at + 1))
        ++found;
    return found;
  };
  {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    auto put = lane.put("of a later kind");
    auto bytes = std::make_shared<std::string>(*put.bytes);
    constexpr std::size_t kVersion = 8;  // docs/WAL_FORMAT.md section 2
    (*bytes)[kVersion] = 77;
    store_le<std::uint64_t>(bytes->data(), envelope_checksum(*bytes));
    put.bytes = bytes;
    REQUIRE(store.commit(batch_of({put}, {{"commit", "1"}})));
  }
  REQUIRE(record_keys() == 1);
  empty_manifests(directory);
  RocksStore store(options(directory));
  const auto image = store.open();
  REQUIRE(image);
  CHECK(image->meta.size() == 1);  // and not among the meta, twice
  CHECK(record_keys() == 1);
}

}  // namespace tideover::wal
