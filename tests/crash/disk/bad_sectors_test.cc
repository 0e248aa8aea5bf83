// The disk that cannot read, on real files: every way of reading meets a bad page as a disk would have it,
// and reads the good ones beside it.
#include "tests/crash/disk/bad_sectors.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <rocksdb/env.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_directory.h"

namespace tideover::disk {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kSize = 5 * kPage + 100;

// A file of five pages and a bit, whose third page is bad; every test has the good page beside it as its
// control.
class Bench {
 public:
  Bench() : file(directory / "file") {
    for (std::size_t i = 0; i < kSize; ++i) content.push_back(static_cast<char>(i * 31 + i / kPage));
    std::ofstream(file, std::ios::binary) << content;
    sectors.clear();
  }
  ~Bench() { sectors.clear(); }

  std::string part(std::size_t at, std::size_t size) const { return content.substr(at, size); }

  const TempDirectory directory;
  const fs::path file;
  std::string content;
  BadSectors& sectors = BadSectors::of_process();
};

struct Got {
  std::string bytes;
  int error = 0;
};

Got pread_once(const fs::path& file, std::size_t at, std::size_t size) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  Got got{std::string(size, '\0')};
  const ssize_t n = ::pread(fd, got.bytes.data(), size, static_cast<off_t>(at));
  if (n < 0) got.error = errno;
  got.bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  ::close(fd);
  return got;
}

template <class Fread>
Got fread_from(const fs::path& file, std::size_t at, std::size_t size, Fread* read, bool* at_end) {
  FILE* const stream = std::fopen(file.c_str(), "rb");
  REQUIRE(stream != nullptr);
  std::fseek(stream, static_cast<long>(at), SEEK_SET);
  Got got{std::string(size, '\0')};
  errno = 0;
  got.bytes.resize(read(got.bytes.data(), 1, size, stream));
  if (std::ferror(stream) != 0) got.error = errno;
  *at_end = std::feof(stream) != 0;
  std::fclose(stream);
  return got;
}

}  // namespace

TEST_CASE("a read that begins in a bad sector fails, one that begins before it is short", "[crash]") {
  Bench bench;
  const auto id = bench.sectors.add(bench.file, Extent::page(2));
  CHECK(pread_once(bench.file, 0, 2 * kPage).bytes == bench.part(0, 2 * kPage));
  CHECK(bench.sectors.hits() == 0);
  CHECK(pread_once(bench.file, 2 * kPage - 10, 100).bytes == bench.part(2 * kPage - 10, 10));
  CHECK(pread_once(bench.file, 0, kSize).bytes == bench.part(0, 2 * kPage));
  CHECK(bench.sectors.hits() == 0);
  CHECK(pread_once(bench.file, 2 * kPage, 1).error == EIO);
  CHECK(pread_once(bench.file, 3 * kPage - 1, 1).error == EIO);
  CHECK(pread_once(bench.file, 3 * kPage, kSize).bytes == bench.part(3 * kPage, kSize));
  CHECK(bench.sectors.hits() == 2);
  CHECK(bench.sectors.hits(id) == 2);
  CHECK(bench.sectors.bad(bench.file, 2 * kPage));
  CHECK_FALSE(bench.sectors.bad(bench.file, 3 * kPage));
  bench.sectors.clear();
  CHECK(pread_once(bench.file, 0, kSize).bytes == bench.content);
}

TEST_CASE("the end of a file is no bad sector, even if all of it is bad", "[crash]") {
  Bench bench;
  bench.sectors.add(bench.file);
  CHECK(pread_once(bench.file, kSize - 1, 10).error == EIO);
  CHECK(pread_once(bench.file, kSize, 10).error == 0);
  CHECK(pread_once(bench.file, kSize, 10).bytes.empty());
}

TEST_CASE("a sequential read stops at a bad sector and goes on behind it", "[crash]") {
  Bench bench;
  bench.sectors.add(bench.file, Extent::page(2));
  const int fd = ::open(bench.file.c_str(), O_RDONLY | O_CLOEXEC);
  std::string bytes(kSize, '\0');
  CHECK(::read(fd, bytes.data(), kSize) == static_cast<ssize_t>(2 * kPage));
  errno = 0;
  CHECK(::read(fd, bytes.data(), kSize) == -1);
  CHECK(errno == EIO);
  ::lseek(fd, 3 * kPage, SEEK_SET);
  CHECK(::read(fd, bytes.data(), kSize) == static_cast<ssize_t>(kSize - 3 * kPage));
  ::close(fd);
}

TEST_CASE("a stream of the C library ends at a bad sector with an error, not with an end", "[crash]") {
  Bench bench;
  bench.sectors.add(bench.file, Extent::page(2));
  for (auto* const read : {&::fread, &::fread_unlocked}) {
    bool at_end = true;
    const Got bad = fread_from(bench.file, 100, kSize, read, &at_end);
    CHECK(bad.bytes == bench.part(100, 2 * kPage - 100));
    CHECK(bad.error == EIO);
    CHECK_FALSE(at_end);
    const Got good = fread_from(bench.file, 3 * kPage, kSize, read, &at_end);
    CHECK(good.bytes == bench.part(3 * kPage, kSize));
    CHECK(good.error == 0);
    CHECK(at_end);
  }
}

TEST_CASE("a stream of the C++ library and a copy meet the bad sector", "[crash]") {
  Bench bench;
  const auto content = [&bench] {
    std::ifstream stream(bench.file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const auto copied = [&bench] {
    std::error_code error;
    fs::copy_file(bench.file, bench.directory / "copy", fs::copy_options::overwrite_existing, error);
    return !error;
  };
  CHECK(content() == bench.content);
  CHECK(copied());
  bench.sectors.add(bench.file, Extent::page(2));
  std::string read;
  try {
    read = content();
  } catch (const std::ios::failure&) {
  }
  CHECK(read.size() <= 2 * kPage);
  CHECK_FALSE(copied());
}

TEST_CASE("RocksDB meets the bad sector in logs and tables", "[crash]") {
  Bench bench;
  rocksdb::Env& env = *rocksdb::Env::Default();
  std::string scratch(kSize, '\0');
  rocksdb::Slice slice;
  const auto sequential = [&] {
    std::unique_ptr<rocksdb::SequentialFile> file;
    REQUIRE(env.NewSequentialFile(bench.file.string(), &file, {}).ok());
    return file->Read(kSize, &slice, scratch.data());
  };
  const auto random = [&](std::size_t at, std::size_t size) {
    std::unique_ptr<rocksdb::RandomAccessFile> file;
    REQUIRE(env.NewRandomAccessFile(bench.file.string(), &file, {}).ok());
    return file->Read(at, size, &slice, scratch.data());
  };
  CHECK(sequential().ok());
  CHECK(slice.size() == kSize);
  CHECK(random(0, kSize).ok());

  bench.sectors.add(bench.file, Extent::page(2));
  CHECK(sequential().IsIOError());
  CHECK(random(2 * kPage, 10).IsIOError());
  CHECK(random(0, 3 * kPage).IsIOError());
  CHECK(random(3 * kPage, kPage).ok());
  CHECK(slice.ToString() == bench.part(3 * kPage, kPage));
}

TEST_CASE("a sector heals after so many failed reads, or after a while", "[crash]") {
  Bench bench;
  const auto twice = bench.sectors.add(bench.file, Extent::page(1), {.reads = 2});
  CHECK(pread_once(bench.file, kPage, 10).error == EIO);
  CHECK(bench.sectors.bad(twice));
  CHECK(pread_once(bench.file, kPage, 10).error == EIO);
  CHECK_FALSE(bench.sectors.bad(twice));
  CHECK(pread_once(bench.file, kPage, 10).bytes == bench.part(kPage, 10));
  CHECK(bench.sectors.hits() == 2);

  const auto a_while = bench.sectors.add(bench.file, Extent::page(3), {.time = std::chrono::milliseconds(1)});
  while (pread_once(bench.file, 3 * kPage, 10).error == EIO) {
  }
  CHECK(pread_once(bench.file, 3 * kPage, 10).bytes == bench.part(3 * kPage, 10));
  CHECK(bench.sectors.hits(a_while) > 0);
  CHECK_FALSE(bench.sectors.bad(a_while));
}

TEST_CASE("a sector goes with its file, not with its name", "[crash]") {
  Bench bench;
  bench.sectors.add(bench.file, Extent::page(2));
  const fs::path other = bench.directory / "other";
  fs::rename(bench.file, other);
  std::ofstream(bench.file, std::ios::binary) << bench.content;
  CHECK(pread_once(other, 2 * kPage, 10).error == EIO);
  CHECK(pread_once(bench.file, 2 * kPage, 10).bytes == bench.part(2 * kPage, 10));
  // Nor does another file get it that gets the number of the inode.
  fs::remove(other);
  for (int i = 0; i < 20; ++i) {
    const fs::path next = bench.directory / std::to_string(i);
    std::ofstream(next, std::ios::binary) << bench.content;
    CHECK(pread_once(next, 2 * kPage, 10).error == 0);
  }
}

TEST_CASE("files to come can be bad by their name", "[crash]") {
  Bench bench;
  bench.sectors.add_named("*.sst", Extent::page(2), {.reads = 1});
  const fs::path table = bench.directory / "000007.sst";
  std::ofstream(table, std::ios::binary) << bench.content;
  CHECK(pread_once(bench.file, 2 * kPage, 10).error == 0);
  CHECK(pread_once(table, 2 * kPage, 10).error == EIO);
  CHECK(pread_once(table, 2 * kPage, 10).error == 0);
}

TEST_CASE("what is written is well again, and nothing beside it", "[crash]") {
  Bench bench;
  bench.sectors.add(bench.file, {kPage, 4 * kPage});
  const int fd = ::open(bench.file.c_str(), O_RDWR | O_CLOEXEC);
  const std::string page = bench.part(2 * kPage, kPage);
  CHECK(::pwrite(fd, page.data(), kPage, 2 * kPage) == static_cast<ssize_t>(kPage));
  CHECK(pread_once(bench.file, kPage, 10).error == EIO);
  CHECK(pread_once(bench.file, 2 * kPage, kPage).bytes == page);
  CHECK(pread_once(bench.file, 3 * kPage, 10).error == EIO);
  ::lseek(fd, kPage, SEEK_SET);
  CHECK(::write(fd, page.data(), 10) == 10);
  CHECK(pread_once(bench.file, kPage, 10).error == 0);
  ::close(fd);
  // At the end of a file that grows.
  bench.sectors.add(bench.file, Extent::page(5));
  CHECK(pread_once(bench.file, 5 * kPage, 10).error == EIO);
  std::ofstream(bench.file, std::ios::binary | std::ios::app) << "more";
  CHECK(pread_once(bench.file, 5 * kPage, 10).error == 0);
  CHECK(pread_once(bench.file, 3 * kPage, 10).error == EIO);
}

#ifdef FORGETFUL_DISK
TEST_CASE("below a program that knows nothing of it, sectors come and go while others look", "[crash]") {
  Bench bench;
  const fs::path table = bench.directory / "table";
  BadSectors shared(table);
  const std::string read = "LD_PRELOAD=" FORGETFUL_DISK " TIDEOVER_DISK_BAD=" + table.string() +
                           " TIDEOVER_DISK_ROOT=" + bench.directory.path() +
                           " TIDEOVER_DISK_GRAVES=" + bench.directory.path() +
                           ".graves dd bs=4096 count=1 status=none skip=";
  const auto page = [&](int number) {
    return std::system(
        (read + std::to_string(number) + " if=" + bench.file.string() + " of=/dev/null 2>&1").c_str());
  };
  const auto id = shared.add(bench.file, Extent::page(2), {.reads = 1});
  CHECK(page(1) == 0);
  CHECK(shared.hits() == 0);
  CHECK(page(2) != 0);
  CHECK(shared.hits(id) == 1);
  CHECK_FALSE(shared.bad(id));
  CHECK(page(2) == 0);
  shared.add(bench.file, Extent::page(3));
  CHECK(page(3) != 0);
  shared.clear();
  CHECK(page(3) == 0);
  fs::remove_all(bench.directory.path() + ".graves");
}
#endif

}  // namespace tideover::disk
