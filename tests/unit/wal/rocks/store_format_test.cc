#include "wal/rocks/store_format.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/catch_result.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/careful_reader.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("the format of a directory is told by a file, which may be missing or damaged") {
  TempDirectory root;
  CarefulReader reader(root.path(), {});
  CHECK(*read_format_file(reader, root.path()) == std::nullopt);
  REQUIRE(write_format_file(root.path(), 2));
  CHECK(*read_format_file(reader, root.path()) == 2);
  REQUIRE(write_format_file(root.path(), 31));
  CHECK(*read_format_file(reader, root.path()) == 31);
  const std::string good = content_of(root / "FORMAT");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    std::ofstream(root / "FORMAT") << bad;
    INFO("byte " << at);
    CHECK(*read_format_file(reader, root.path()) == std::nullopt);
  }
  fs::remove(root / "FORMAT");
  fs::create_directory(root / "FORMAT");
  CHECK(read_format_file(reader, root.path()).error().code == Errc::io_error);
}

}  // namespace
}  // namespace tideover::wal
