// A chain that is closed between slices: what its reader can tell by two looks.
#include <catch2/catch.hpp>

#include "tests/unit/agent/tail/tail_life.h"

namespace tideover::tail {
namespace {

// Read to its end, closed, and long enough ago for times to be trusted.
void rest(TailLife& life) {
  life.pass(5 * kSecondNs);
  life.read();
  life.reader().idle();
}

TEST_CASE("a chain is quiet while nothing has come since it was closed, and only then") {
  TailLife life;
  life.start();
  CHECK_FALSE(life.reader().quiet());
  life.write(3);
  life.read();
  life.reader().idle();
  CHECK_FALSE(life.reader().quiet());  // so lately that a change might not show
  rest(life);
  CHECK(life.reader().quiet());
  CHECK(life.reader().files_held() == 0);
  SECTION("a line") { life.write(1); }
  SECTION("a rotation") { life.rotate(); }
  SECTION("a removal") { life.files().remove(kPodDirectory); }
  CHECK_FALSE(life.reader().quiet());
}

TEST_CASE("a chain is not quiet while something of it is unread or waits for its end") {
  TailLife life;
  life.start();
  life.write(3);
  SECTION("a line without its end") {
    life.kubelet().write(stamp(life.now()) + " stdout F half");
    rest(life);
  }
  SECTION("more than was read") {
    life.set_buffer(32 * 1024);
    life.write(1000, 100);
    life.pass(5 * kSecondNs);
    life.read(1000);
    life.reader().idle();
  }
  SECTION("another file behind it, which is not read before this one is settled") {
    life.kill();
    ReaderOptions options;
    options.settle_ns = 60 * kSecondNs;
    life.set_options(options);
    life.start();
    life.kubelet().begin();
    life.kubelet().step();  // the name
    life.write(1);
    life.pass(5 * kSecondNs);
    life.kubelet().step();  // the new file
    life.write(1);
    rest(life);
    CHECK(life.reader().files_held() == 0);
    CHECK_FALSE(life.reader().quiet());
    life.pass(60 * kSecondNs);
  }
  CHECK_FALSE(life.reader().quiet());
  life.drain();
  life.reader().idle();
  CHECK(life.durable() == life.written());
}

TEST_CASE("a reader that was closed while its slice was out gives the same again after a rollback") {
  TailLife life;
  life.start();
  life.write(3);
  life.read();
  life.write(3);
  life.pass(5 * kSecondNs);
  CollectedLines sink;
  std::vector<char> buffer(64 * 1024);
  life.reader().read(sink, buffer, 1 << 20, life.now());
  REQUIRE(sink.lines.size() == 3);
  life.reader().idle();
  CHECK(life.reader().files_held() == 0);
  CHECK(life.reader().quiet());
  life.reader().rollback();
  CHECK_FALSE(life.reader().quiet());
  life.drain();
  CHECK(life.durable() == life.written());
}

TEST_CASE("what is unread of a chain is the rest of its file and the files behind it") {
  TailLife life;
  life.start();
  life.set_buffer(32 * 1024);
  life.write(1000, 100);
  const std::uint64_t first = life.files().look(kPodDirectory + "/0.log").value().size;
  life.rotate();
  life.write(10);
  const std::uint64_t second = life.files().look(kPodDirectory + "/0.log").value().size;
  const Slice slice = life.read(1000);
  REQUIRE(slice.more);
  CHECK(life.reader().unread_bytes() == first + second - slice.bytes);
  life.drain();
  CHECK(life.reader().unread_bytes() == 0);
}

TEST_CASE(
    "a chain that was closed at its end misses nothing when it goes, however it had grown since it was "
    "seen") {
  TailLife life;
  life.start();
  SECTION("since it was short") {
    life.write(1);
    life.read();
    rest(life);
    life.write(100);
  }
  SECTION("since another file was read") {
    life.write(100);
    life.rotate();
    life.write(50);
    life.pass(5 * kSecondNs);
    life.read();  // its files are looked at from the first one
    life.reader().idle();
  }
  rest(life);
  CHECK(life.durable() == life.written());
  life.files().remove(kPodDirectory);
  life.drain();
  CHECK(life.missed().bytes == 0);
}

TEST_CASE("a slice owes its position when it holds what may never be read again") {
  TailLife life;
  life.start();
  life.write(1);
  CHECK_FALSE(life.read().owed);
  life.kubelet().write(stamp(life.now()) + " stdout P half\n");
  CHECK(life.read().owed);
  CHECK_FALSE(life.read().owed);  // nothing is new
  life.kubelet().write(stamp(life.now()) + " stdout F end\n");
  CHECK_FALSE(life.read().owed);
  life.write(1);
  life.rotate();
  life.pass(2 * kSecondNs);
  CHECK(life.read().owed);
}

}  // namespace
}  // namespace tideover::tail
