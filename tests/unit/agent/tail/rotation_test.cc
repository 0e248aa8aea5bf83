// Kubelet's rotation, an agent that is down or dies: what is on disk comes once and in order, what is gone is
// counted. A failure prints its seed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "agent/tail/gzip_file.h"
#include "tests/unit/agent/tail/tail_life.h"
#include "wal/base/rng.h"

namespace tideover::tail {
namespace {

using Batch = TailLife::Batch;

std::string inflated(FakeFiles& files, const std::string& name) {
  std::unique_ptr<OpenFile> file = files.open(kPodDirectory + "/" + name).value();
  if (name.ends_with(".gz")) file = std::make_unique<GzipFile>(std::move(file));
  std::string text(1 << 19, '\0');
  text.resize(file->read(0, text).value());
  return text;
}

// Numbers of the lines that lie on disk, whole.
std::set<std::size_t> on_disk(TailLife& life) {
  std::set<std::size_t> numbers;
  const std::vector<std::string> names = life.files().list(kPodDirectory, 1000).value();
  for (const std::string& name : names) {
    if (name.ends_with(".tmp")) continue;
    const std::string text = inflated(life.files(), name);
    for (std::size_t at = 0; (at = text.find(" F line ", at)) != text.npos; ++at)
      numbers.insert(std::stoul(text.substr(at + 8)));
  }
  return numbers;
}

std::vector<std::size_t> numbers(const std::vector<std::string>& texts) {
  std::vector<std::size_t> all;
  for (const std::string& text : texts) all.push_back(std::stoul(text.substr(5)));
  return all;
}

std::size_t bytes_not_durable(const TailLife& life) {
  std::size_t bytes = 0;
  const std::vector<std::size_t> came = numbers(life.durable());
  const std::set<std::size_t> durable(came.begin(), came.end());
  for (std::size_t i = 0; i < life.written().size(); ++i)
    if (!durable.contains(i)) bytes += life.bytes_of(i);
  return bytes;
}

TEST_CASE("an agent that was down across rotations reads everything that is on disk, once and in order") {
  for (const int rotations : {1, 3, 6}) {
    CAPTURE(rotations);
    TailLife life;
    life.write(100);
    life.start();
    life.read();
    life.write(50);
    life.read();
    life.write(30);
    life.kill();
    for (int i = 0; i < rotations; ++i) {
      life.write(20);
      life.rotate();
      life.write(70);
    }
    const std::set<std::size_t> left = on_disk(life);
    life.drain();
    CHECK(std::ranges::is_sorted(numbers(life.durable())));
    const auto came = numbers(life.durable());
    CHECK(std::set<std::size_t>(came.begin(), came.end()).size() == came.size());
    for (const std::size_t number : left) CHECK(std::ranges::find(came, number) != came.end());
    if (rotations <= 3) {
      // Kubelet keeps three beside the live one.
      CHECK(life.durable() == life.written());
      CHECK(life.missed() == Missed{});
    } else {
      CHECK(life.durable().size() < life.written().size());
      // Of the file that it was in the midst of it knows what it had seen; the others came and went unseen.
      CHECK(life.missed().perhaps_more);
      CHECK(life.missed().bytes <= bytes_not_durable(life));
    }
  }
}

TEST_CASE("what was read to its end before it was compressed is not inflated, and not read again") {
  TailLife life;
  life.write(100, 100);
  life.drain();
  life.kill();
  life.rotate();
  life.write(1);
  life.rotate();  // compresses the first
  life.write(1);
  // Damaged behind its beginning: whoever inflates it notices.
  const std::vector<std::string> names = life.files().list(kPodDirectory, 10).value();
  REQUIRE(names.size() == 3);
  const std::string oldest = kPodDirectory + "/" + names[1];
  REQUIRE(oldest.ends_with(".gz"));
  std::string bytes = life.files().content(oldest);
  bytes.replace(bytes.size() - 40, 20, std::string(20, '\xff'));
  life.files().truncate(oldest, 0);
  life.files().append(oldest, bytes);
  life.drain();
  CHECK(life.durable() == life.written());
  CHECK(life.notes().empty());
}

TEST_CASE("a file that kubelet has renamed is read until the runtime has gone over to the new one") {
  TailLife life;
  life.start();
  life.write(5);
  life.read();
  life.pass(10 * kSecondNs);
  life.kubelet().begin();
  life.kubelet().step();  // renamed, not reopened
  life.write(5);
  life.read();
  CHECK(life.durable().size() == 10);
  life.write(5);
  life.kubelet().step();
  auto late =
      life.files().writer(life.files().list(kPodDirectory, 9).value().back().insert(0, kPodDirectory + "/"));
  life.write(5);
  life.read();  // sees the new one, and lets the old one settle
  CHECK(life.durable().size() == 15);
  life.drain();
  CHECK(life.durable() == life.written());
}

TEST_CASE("a busy file whose successors come and go unread is counted to the byte") {
  TailLife life;
  life.set_buffer(4096);
  life.start();
  life.write(3000, 50);
  life.read(64 * 1024);
  for (int i = 0; i < 6; ++i) {
    life.rotate();
    life.write(100);
    life.read(100);  // too slow by far
  }
  life.drain();
  CHECK(life.durable().size() < life.written().size());
  CHECK(std::ranges::is_sorted(numbers(life.durable())));
  CHECK(life.missed().bytes > 0);
  CHECK_FALSE(life.missed().perhaps_more);
  CHECK(life.missed().bytes == bytes_not_durable(life));
}

TEST_CASE("a removed file is read to its end, and bounded by giving it up") {
  TailLife life;
  life.set_buffer(1024);
  life.start();
  life.write(100);
  life.read(500);
  const std::size_t read = life.durable().size();
  CHECK(read < 100);
  CHECK(life.reader().pinned_bytes() == 0);
  life.files().remove(kPodDirectory);
  CHECK(life.reader().pinned_bytes() > 0);
  SECTION("to its end") {
    life.drain();
    CHECK(life.durable() == life.written());
    CHECK(life.missed() == Missed{});
  }
  SECTION("an owner that closes what is idle does not lose it") {
    life.reader().idle();
    life.drain();
    CHECK(life.durable() == life.written());
  }
  SECTION("given up") {
    life.reader().give_up();
    life.drain();
    CHECK(life.durable().size() == read);
    CHECK(life.missed() == Missed{bytes_not_durable(life), false});
  }
  CHECK(life.position().empty());
  CHECK(life.files().open_files() == 0);
}

TEST_CASE(
    "the next restart of a container follows when the one before it is read, unfinished parts included") {
  TailLife life;
  life.start();
  life.write(3);
  life.kubelet().write(stamp(life.now()) + " stdout P line 3");
  life.kubelet().write("\n");
  life.add_written("line 3");
  life.kubelet().write(stamp(life.now()) + " stderr F line 4");  // without its feed
  life.add_written("line 4");
  life.read();
  CHECK(life.durable().size() == 3);
  life.kubelet().restart();
  life.write(3);
  life.drain();
  CHECK(std::set<std::string>(life.durable().begin(), life.durable().end()) ==
        std::set<std::string>(life.written().begin(), life.written().end()));
  CHECK(life.durable().size() == life.written().size());
  CHECK(numbers(life.durable()).back() == life.written().size() - 1);
}

// Any order of everything: the container's lines in pieces and parts, kubelet in steps, restarts, an agent
// that dies at any point, batches that fail, too few descriptors.
void live_at_random(TailLife& life, Rng& rng, bool parts, bool restarts, bool kills) {
  for (int action = 0; action < 120; ++action) {
    switch (rng.below(12)) {
      case 0:
      case 1:
      case 2: life.write(1 + rng.below(40), rng.below(100)); break;
      case 3: {
        const std::string line = life.next_line(rng.below(2000));
        const std::size_t cut = rng.below(line.size());
        life.kubelet().write(line.substr(0, cut));
        if (life.up() && rng.chance(0.5)) life.read();
        life.kubelet().write(line.substr(cut));
        break;
      }
      case 4: {
        if (!parts) break;
        life.pass(1'000);
        const std::string text = fmt::format("line {} in parts", life.written().size());
        const std::size_t cut = rng.below(text.size());
        life.kubelet().write(stamp(life.now()) + " stderr P " + text.substr(0, cut) + "\n");
        if (rng.chance(0.5)) life.rotate();
        if (life.up() && rng.chance(0.5)) life.read();
        life.kubelet().write(stamp(life.now()) + " stderr F " + text.substr(cut) + "\n");
        life.add_written(text);
        break;
      }
      case 5: life.rotate(); break;
      case 6:
        life.pass(10 * kSecondNs);
        life.kubelet().begin();
        while (life.kubelet().step()) {
          if (rng.chance(0.3)) life.write(1 + rng.below(3));
          if (life.up() && rng.chance(0.5)) life.read(rng.below(3000));
        }
        break;
      case 7:
        if (restarts && rng.chance(0.2)) life.kubelet().restart();
        break;
      case 8:
        if (kills && rng.chance(0.5)) life.kill();
        break;
      default:
        if (!life.up()) life.start();
        if (rng.chance(0.1)) life.files().set_open_files_max(rng.below(2));
        if (rng.chance(0.2)) life.reader().idle();
        if (rng.chance(0.3)) life.pass(2 * kSecondNs);
        life.read(rng.below(5000), rng.chance(0.2)            ? Batch::refused
                                   : kills && rng.chance(0.1) ? Batch::applied_and_killed
                                                              : Batch::applied);
        life.files().set_open_files_max(SIZE_MAX);
    }
  }
}

TEST_CASE("while nothing is removed, every line comes exactly once and in order, whatever happens") {
  int doubts = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    TailLife life(10'000);
    if (rng.chance(0.5)) life.set_buffer(4096);
    live_at_random(life, rng, true, seed % 2 == 0, true);
    life.drain();
    // What is the first that is not as it was written?
    const auto [came, wrote] = std::ranges::mismatch(life.durable(), life.written());
    CAPTURE(came - life.durable().begin(), came == life.durable().end() ? "nothing" : came->substr(0, 40));
    CAPTURE(wrote == life.written().end() ? "nothing" : wrote->substr(0, 40));
    REQUIRE(came == life.durable().end());
    REQUIRE(wrote == life.written().end());
    CAPTURE(life.missed().bytes, life.missed().perhaps_more);
    REQUIRE(life.missed().bytes == 0);
    // What a restart had before it was seen, nobody knows; otherwise there is no doubt.
    if (life.kubelet().restarts() == 0 && life.missed().perhaps_more) ++doubts;
    for (const std::string& note : life.notes()) REQUIRE(note.find("too many open files") != note.npos);
  }
  // A file that was seen empty, and compressed when it was looked at again, is not known as the same.
  CHECK(doubts < 30);
}

TEST_CASE(
    "when kubelet removes what was not read, the rest comes once and in order, and the gap is counted") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    TailLife life(2 + rng.below(4));
    life.write(1);  // what went before anybody knew of the container is nobody's loss
    life.drain();
    for (int life_of_agent = 0; life_of_agent < 3; ++life_of_agent) {
      live_at_random(life, rng, false, seed % 3 != 0, seed % 3 != 0);
      const std::set<std::size_t> left = on_disk(life);
      life.drain();
      const std::vector<std::size_t> came = numbers(life.durable());
      REQUIRE(std::ranges::is_sorted(came));
      REQUIRE(std::ranges::adjacent_find(came) == came.end());
      for (const std::size_t number : left) REQUIRE(std::ranges::binary_search(came, number));
    }
    const std::size_t gone = bytes_not_durable(life);
    REQUIRE(life.missed().bytes <= gone);
    if (life.missed().bytes != gone) REQUIRE(life.missed().perhaps_more);  // never silent
  }
}

}  // namespace
}  // namespace tideover::tail
