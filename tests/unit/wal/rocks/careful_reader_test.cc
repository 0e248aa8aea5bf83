// What the device refuses, and what that means: a place that is damaged, or a device that is away.
#include "wal/rocks/careful_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/catch_result.h"
#include "tests/support/temp_directory.h"
#include "wal/store_directory.h"

namespace tideover::wal {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kPage = 4096;
constexpr auto kPatience = 64us;  // of which the first wait is a microsecond
constexpr int kAtOnce = 3;        // attempts without patience: with others, alone, and once more

void put_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// A file of `pages`, each of its own letter, on a device of which one page does not read.
class Disk {
 public:
  explicit Disk(std::uint64_t pages) {
    for (std::uint64_t page = 0; page < pages; ++page) content_.append(kPage, static_cast<char>('a' + page));
    put_file(path, content_);
  }

  void refuse(std::uint64_t page, int error, int times = 1'000'000) {
    bad_ = page;
    error_ = error;
    times_ = times;
  }
  void put_beside(const std::string& name, std::string_view bytes) { put_file(directory_ / name, bytes); }

  Result<std::string> read(std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '?');
    const Result<std::size_t> got = reader.read(
        path, content_.size(),
        [this](char* into, std::size_t n, std::uint64_t at) { return attempt(into, n, at); }, bytes.data(),
        size, offset);
    if (!got) return got.error();
    bytes.resize(*got);
    return bytes;
  }

  const std::string& content() const { return content_; }
  int asked() const { return asked_; }  // how often the bad page was asked for alone

 private:
  CarefulReader::Tried attempt(char* into, std::size_t size, std::uint64_t offset) {
    if (offset <= bad_ * kPage + kPage - 1 && offset + size > bad_ * kPage && times_ > 0) {
      if (size <= kPage) ++asked_, --times_;
      return {0, error_};
    }
    const std::size_t given =
        std::min<std::size_t>(size, 1000);  // a device may give less than it is asked for
    std::memcpy(into, content_.data() + offset, given);
    return {given, 0};
  }

  TempDirectory directory_;
  std::string content_;
  std::uint64_t bad_ = 0;
  int error_ = 0, times_ = 0, asked_ = 0;

 public:
  const std::string path = directory_ / "000012.log";
  CarefulReader reader{directory_.path(), kPatience};
};

TEST_CASE("a place that the device refuses is filled, whatever its file system calls that") {
  const int error = GENERATE(EIO, EBADMSG, EUCLEAN, EILSEQ, EREMOTEIO, ENODATA);
  Disk disk(4);
  disk.refuse(1, error);
  const Result<std::string> read = disk.read(100, 3 * kPage);
  REQUIRE(read);
  REQUIRE(read->size() == 3 * kPage);
  CHECK(read->substr(0, kPage - 100) == disk.content().substr(100, kPage - 100));
  CHECK(holds_unreadable(read->substr(kPage - 100, kPage)));
  CHECK(read->substr(kPage - 100, kPage).find_first_not_of((*read)[kPage]) == std::string::npos);
  CHECK(read->substr(2 * kPage - 100) == disk.content().substr(2 * kPage, kPage + 100));
}

TEST_CASE("what is refused for another reason than damage is an error, and costs nothing") {
  const int error = GENERATE(ENOMEM, EACCES, EBADF, EINVAL, ESTALE, EAGAIN, ENXIO);
  Disk disk(4);
  disk.refuse(1, error);
  const Result<std::string> read = disk.read(0, 4 * kPage);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::io_error);
  CHECK(read.error().detail == "read " + disk.path + ": " + std::strerror(error));
  CHECK(disk.reader.pages() == 0);
}

TEST_CASE("a place that reads when it is asked again is as if nothing had been") {
  Disk disk(4);
  disk.refuse(GENERATE(0, 2), EIO, 3);
  const Result<std::string> read = disk.read(0, 4 * kPage);
  REQUIRE(read);
  CHECK(*read == disk.content());
  CHECK(disk.reader.pages() == 0);
  CHECK(disk.reader.take_news().empty());
}

TEST_CASE("a bad place is named once, and asked for patiently once") {
  Disk disk(4);
  disk.refuse(3, EIO);
  REQUIRE(disk.read(3 * kPage + 96, 10'000));
  const int patiently = disk.asked();
  CHECK(patiently > kAtOnce);
  const auto news = disk.reader.take_news();
  REQUIRE(news.size() == 1);
  CHECK(news[0].path == disk.path);
  CHECK(news[0].offset == 3 * kPage + 96);
  CHECK(news[0].bytes == kPage - 96);
  REQUIRE(disk.read(3 * kPage, kPage));
  CHECK(disk.asked() <= patiently + kAtOnce + 1);  // once more, when another place has answered
  CHECK(disk.reader.take_news().empty());
  CHECK(disk.reader.pages() == 1);
}

TEST_CASE("many bad places share the patience of a minute") {
  Disk disk(20);
  int longest = 0, last = 0;
  for (std::uint64_t page = 0; page < 20; ++page) {
    const int before = disk.asked();
    disk.refuse(page, EIO);
    REQUIRE(disk.read(page * kPage, kPage));
    last = disk.asked() - before;
    longest = std::max(longest, last);
  }
  CHECK(longest > kAtOnce);
  CHECK(last <= kAtOnce + 1);
  CHECK(disk.reader.pages() == 20);
}

TEST_CASE("when nothing else reads the device is away, and what it holds may come back") {
  Disk disk(1);
  disk.refuse(0, EIO);
  disk.put_beside(std::string(kBallastName), "x");  // which reads without the device
  disk.put_beside("000014.log", "");                // of which nothing can be read
  const Result<std::string> read = disk.read(0, kPage);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::io_error);
  CHECK(disk.reader.pages() == 0);
  disk.put_beside("000013.log", "x");
  CHECK(disk.read(0, kPage));
  CHECK(disk.reader.pages() == 1);
}

TEST_CASE("a read gives what the file has, and nothing behind its end") {
  Disk disk(2);
  CHECK(*disk.read(2 * kPage - 10, 100) == std::string(10, 'b'));
  CHECK(disk.read(2 * kPage, 100)->empty());
  CHECK(disk.read(3 * kPage, 100)->empty());
  CHECK(*disk.reader.read_file(disk.path) == disk.content());
  CHECK(*disk.reader.read_file(disk.path, kPage - 1, 3) == "abb");
  CHECK(disk.reader.read_file(disk.path, 2 * kPage)->empty());
  CHECK(disk.reader.read_file(disk.path, 5 * kPage, 10)->empty());
}

TEST_CASE("a file that has become shorter than it was said to be is read to its end") {
  CarefulReader reader("/nowhere", {});
  std::string bytes(100, '?');
  const auto attempt = [](char* into, std::size_t size, std::uint64_t offset) {
    const std::size_t left = 70 - offset;
    std::memset(into, 'x', std::min(size, left));
    return CarefulReader::Tried{std::min(size, left), 0};
  };
  CHECK(*reader.read("file", 1000, attempt, bytes.data(), bytes.size(), 0) == 70);
  CHECK(bytes == std::string(70, 'x') + std::string(30, '?'));
}

TEST_CASE("a file that is not there is told from one that does not open") {
  Disk disk(1);
  CHECK(disk.reader.read_file(disk.path + ".gone").error().code == Errc::not_found);
  CHECK(disk.reader.read_file(disk.path + "/below").error().code == Errc::io_error);
}

TEST_CASE("reading leaves no descriptor open, also where a place is bad") {
  const auto open_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  Disk disk(4);
  const auto before = open_now();
  REQUIRE(disk.reader.read_file(disk.path));
  disk.refuse(1, EIO);
  REQUIRE(disk.read(0, 4 * kPage));
  CHECK(open_now() == before);
}

TEST_CASE("a sector's run of the filling says that a place could not be read, and less does not") {
  const std::string filling(64, '\xdb');
  CHECK(holds_unreadable(filling));
  CHECK(holds_unreadable("before" + filling + "behind"));
  CHECK_FALSE(holds_unreadable(filling.substr(1)));
  CHECK_FALSE(holds_unreadable(filling.substr(1) + "x" + filling.substr(1)));
  CHECK_FALSE(holds_unreadable({}));
}

}  // namespace
}  // namespace tideover::wal
