// Plain files, as logrotate(8) leaves them, read by an agent in lives of its own.
#include <catch2/catch.hpp>

#include "agent/tail/chain_reader.h"
#include "tests/support/fake_files.h"
#include "tests/unit/agent/tail/collected_lines.h"

namespace tideover::tail {
namespace {

using Texts = std::vector<std::string>;
constexpr std::int64_t kSecond = 1'000'000'000;
const std::string kLog = "/var/log/app.log";

class PlainLife {
 public:
  PlainLife() { files.make_directories("/var/log"), pass(); }

  void pass() { files.set_now(now_ += 10 * kSecond); }
  void start() {
    reader_ = std::make_unique<ChainReader>(files, Chain{kLog, "/var/log", "app.log", Format::plain},
                                            ReaderOptions{}, position_);
  }
  void read() {
    std::vector<char> buffer(64 * 1024);
    CollectedLines sink;
    const Slice slice = reader_->read(sink, buffer, 1 << 20, now_);
    for (const CollectedLine& line : sink.lines) lines.push_back(line.text);
    if (!slice.position.empty()) position_ = slice.position;
    truncations += slice.truncations;
    missed += slice.missed.bytes;
    reader_->committed();
  }
  void drain() {
    for (int i = 0; i < 4; ++i) pass(), read();
  }
  void copy_truncate(const std::string& to) {
    files.append(to, files.content(kLog));
    files.truncate(kLog, 0);
  }

  FakeFiles files;
  Texts lines;
  std::uint64_t truncations = 0;
  std::uint64_t missed = 0;

 private:
  std::int64_t now_ = 1'000 * kSecond;
  std::unique_ptr<ChainReader> reader_;
  std::string position_;
};

TEST_CASE("a plain file that was copied and truncated is read on in the copy, then from its new beginning") {
  const bool up = GENERATE(true, false);
  const bool regrown = GENERATE(true, false);
  CAPTURE(up, regrown);
  PlainLife life;
  life.files.append(kLog, "one\ntwo\n");
  life.start();
  life.drain();
  life.files.append(kLog, "three\n");
  life.pass();
  life.copy_truncate("/var/log/app.log.1");
  life.pass();
  life.files.append(kLog, "four\n");
  if (regrown) life.files.append(kLog, "five is longer than all that was read before\n");
  if (!up) life.start();
  life.drain();
  Texts all = {"one", "two", "three", "four"};
  if (regrown) all.push_back("five is longer than all that was read before");
  CHECK(life.lines == all);
  CHECK(life.missed == 0);
  CHECK(life.truncations == (up ? 1 : 0));  // an agent that was down finds the copy by what is in it
}

TEST_CASE("a plain file that was renamed, again and again, is read once, oldest first") {
  PlainLife life;
  life.files.append(kLog, "one\n");
  life.start();
  life.drain();
  life.files.append(kLog, "two\n");
  life.pass();
  life.files.rename(kLog, "/var/log/app.log.1");
  life.files.append(kLog, "three\n");
  life.pass();
  life.files.rename("/var/log/app.log.1", "/var/log/app.log.2");
  life.files.rename(kLog, "/var/log/app.log.1");
  life.files.append(kLog, "four\n");
  life.start();
  life.drain();
  CHECK(life.lines == Texts{"one", "two", "three", "four"});
  CHECK(life.missed == 0);
}

}  // namespace
}  // namespace tideover::tail
