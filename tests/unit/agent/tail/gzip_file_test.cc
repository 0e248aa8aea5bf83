// Compressed members: read as a stream, at any place, and as far as they are whole.
#include "agent/tail/gzip_file.h"

#include "tests/support/catch_result.h"
#include "tests/support/fake_files.h"
#include "tests/support/gzip.h"
#include "wal/base/rng.h"

namespace tideover::tail {
namespace {

std::string noise(std::size_t size) {
  Rng rng(1);
  std::string text;
  while (text.size() < size) text += std::to_string(rng.next()) + '\n';
  text.resize(size);
  return text;
}

GzipFile open(FakeFiles& files, const std::string& bytes) {
  files.append("/a.gz", bytes);
  return GzipFile(files.open("/a.gz").value());
}

std::string read(OpenFile& file, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  const auto got = file.read(offset, bytes);
  REQUIRE(got);
  bytes.resize(*got);
  return bytes;
}

TEST_CASE("a compressed file is read as what was compressed, forwards, from any place, and again") {
  FakeFiles files;
  const std::string text = noise(300'000);
  GzipFile file = open(files, gzip(text));
  std::string all;
  for (std::string part; !(part = read(file, all.size(), 70'000)).empty();) all += part;
  CHECK(all == text);
  CHECK(read(file, 299'990, 100) == text.substr(299'990));
  CHECK(read(file, 10, 5) == text.substr(10, 5));
  CHECK(read(file, 200'000, 9) == text.substr(200'000, 9));
  CHECK(read(file, 300'000, 9).empty());
  CHECK(read(file, 400'000, 9).empty());
  CHECK_FALSE(file.damage());
}

TEST_CASE("members behind each other are one text, and what follows them is ignored") {
  FakeFiles files;
  GzipFile file = open(files, gzip("one ") + gzip("") + gzip("two") + std::string(100'000, '\0'));
  CHECK(read(file, 0, 100) == "one two");
  CHECK_FALSE(file.damage());
}

TEST_CASE("an empty compressed text is empty, and no damage") {
  FakeFiles files;
  GzipFile file = open(files, gzip(""));
  CHECK(read(file, 0, 100).empty());
  CHECK_FALSE(file.damage());
}

TEST_CASE("of a file that ends too early, what there is comes, and the rest is told") {
  FakeFiles files;
  const std::string text = noise(300'000);
  const std::string whole = gzip(text);
  GzipFile file = open(files, whole.substr(0, whole.size() / 2));
  const std::string got = read(file, 0, 400'000);
  CHECK(got.size() > 100'000);
  CHECK(got == text.substr(0, got.size()));
  CHECK(read(file, got.size(), 10).empty());
  REQUIRE(file.damage());
  CHECK(file.damage()->sentence == "it ends in the midst of its data");
}

TEST_CASE("of a file with damaged bytes, what stands before them comes, and what does not is counted") {
  FakeFiles files;
  const std::string text = noise(3'000'000);
  std::string bytes = gzip(text);
  bytes.replace(bytes.size() / 2, 100, std::string(100, '\xff'));
  GzipFile file = open(files, bytes);
  const std::string got = read(file, 0, 4'000'000);
  CHECK(got.size() > 1'000'000);
  CHECK(got.substr(0, 1'000'000) == text.substr(0, 1'000'000));
  REQUIRE(file.damage());
  CHECK(file.damage()->compressed_bytes > 0);
  CHECK(file.damage()->compressed_bytes <= bytes.size() / 2);
  CHECK_FALSE(file.damage()->sentence.empty());
}

TEST_CASE("what only has the name of a compressed file gives nothing") {
  FakeFiles files;
  GzipFile file = open(files, "2026-11-28T10:00:00Z stdout F plain\n");
  CHECK(read(file, 0, 100).empty());
  REQUIRE(file.damage());
}

TEST_CASE("a file of nothing at all is damaged: a compressed one has a header") {
  FakeFiles files;
  GzipFile file = open(files, "");
  CHECK(read(file, 0, 100).empty());
  CHECK(file.damage());
}

TEST_CASE("a disk that says no is not damage: it may read again") {
  FakeFiles files;
  GzipFile file = open(files, gzip("text"));
  files.fail_reads(true);
  std::string into(10, '\0');
  CHECK(file.read(0, into).error().code == Errc::io_error);
  files.fail_reads(false);
  CHECK(read(file, 0, 10) == "text");
  CHECK_FALSE(file.damage());
}

}  // namespace
}  // namespace tideover::tail
