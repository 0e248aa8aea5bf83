// How long a store with a large backlog takes to open, and how much memory.
//
//   crash_backlog_open DIRECTORY GIGABYTES [damaged]
//                                            writes the backlog (kept: a second call adds nothing) and dies
//                                            without closing it, as after kill -9; then, in a process of its
//                                            own with an empty page cache (root), opens it and prints
//                                            figures. `damaged`: its manifest is made useless in
//                                            between, so that opening builds the database anew.
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/lane_writer.h"
#include "wal/rocks/rocks_store.h"
#include "wal/store_directory.h"

namespace {

using namespace tideover;
using namespace tideover::wal;
using Clock = std::chrono::steady_clock;

constexpr LaneId kMetrics{7};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string status_line(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return line;
  return name + " is not known";
}

[[noreturn]] void die(const std::string& sentence) {
  std::cerr << sentence << "\n";
  std::_Exit(1);
}

void write_backlog(const std::string& directory, std::uint64_t bytes) {
  RocksStore store({.directory = directory, .note = {}});
  const auto image = store.open();
  if (!image) die(image.error().detail);
  const auto tail = image->tails.find(kMetrics);
  std::uint64_t written = used_bytes(directory);
  LaneWriter lane(kMetrics, tail == image->tails.end() ? Seq{1} : next(tail->second.seq));
  const auto start = Clock::now();
  std::string payload(14'000, 'x');
  std::uint64_t random = 88172645463325252U;
  while (written < bytes) {
    StoreBatch batch;
    for (int i = 0; i < 64; ++i) {
      for (char& c : payload) {
        random ^= random << 7;
        random ^= random >> 9;
        c = static_cast<char>(random);
      }
      batch.records.push_back(lane.put(payload));
      written += batch.records.back().bytes->size();
    }
    batch.meta.emplace_back("commit", std::to_string(lane.tail().value));
    if (auto committed = store.commit(batch); !committed) die(committed.error().detail);
  }
  std::cout << fmt::format("written in {:.1f} s; {}; disk {:.2f} GB\n", seconds_since(start),
                           status_line("VmHWM"), static_cast<double>(used_bytes(directory)) / 1e9)
            << std::flush;
  std::_Exit(0);  // nothing is closed or flushed
}

void open_backlog(const std::string& directory) {
  std::ofstream("/proc/sys/vm/drop_caches") << "3\n";
  RocksStore store(
      {.directory = directory, .note = [](const std::string& sentence) { std::cout << sentence << "\n"; }});
  const auto start = Clock::now();
  const auto image = store.open();
  if (!image) die(image.error().detail);
  const double opened = seconds_since(start);
  const auto first = store.read({kMetrics, Seq{1}, next(image->tails.at(kMetrics).seq), 3 << 20});
  if (!first || first->records.empty()) die("the first records cannot be read");
  const double read = seconds_since(start);
  LaneWriter lane(kMetrics, next(image->tails.at(kMetrics).seq));
  if (auto committed = store.commit(batch_of({lane.put("new")})); !committed) die(committed.error().detail);
  std::cout << fmt::format(
                   "opened after {:.3f} s, first 3 MiB read after {:.3f} s, first commit after {:.3f} s; {}; "
                   "counted memory {} KiB\n",
                   opened, read, seconds_since(start), status_line("VmHWM"), store.usage().memory_bytes >> 10)
            << std::flush;

  std::uint64_t records = 0;
  const auto replay = Clock::now();
  for (Seq from{1}; from <= image->tails.at(kMetrics).seq;) {
    const auto range = store.read({kMetrics, from, next(image->tails.at(kMetrics).seq), 3 << 20});
    if (!range) die(range.error().detail);
    records += range->records.size();
    from = range->next;
  }
  std::cout << fmt::format("all {} records read in {:.1f} s; {}; counted memory {} KiB\n", records,
                           seconds_since(replay), status_line("VmHWM"), store.usage().memory_bytes >> 10);
}

void damage_manifest(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().filename().string().starts_with("MANIFEST-")) std::filesystem::resize_file(entry, 0);
}

void in_a_process(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    std::cout << std::flush;
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const bool damaged = argc == 4 && std::string(argv[3]) == "damaged";
  if (argc != 3 && !damaged) die("usage: crash_backlog_open DIRECTORY GIGABYTES [damaged]");
  const std::string directory = argv[1];
  const auto bytes = static_cast<std::uint64_t>(std::atof(argv[2]) * 1e9);
  in_a_process([&] { write_backlog(directory, bytes); });
  if (damaged) damage_manifest(directory);
  in_a_process([&] { open_backlog(directory); });
}
