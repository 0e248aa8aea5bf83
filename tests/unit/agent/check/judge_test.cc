// The sentences that an operator gets about a node: each names the fact, the reason and the cure.
#include "agent/check/judge.h"

#include <catch2/catch.hpp>

#include "agent/config/load.h"

namespace tideover::check {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGiB = 1ULL << 30;

config::Config small() {
  auto loaded =
      config::parse("cluster: a\nmetrics: {destinations: [{name: thanos, url: 'http://t'}]}\n", "t.yaml");
  REQUIRE(loaded.config);
  return *loaded.config;
}

bool says(const Finding& finding, Level level, std::string_view words) {
  INFO(finding.sentence);
  CHECK(finding.level == level);
  CHECK(finding.sentence.find(words) != std::string::npos);
  return finding.level == level && finding.sentence.find(words) != std::string::npos;
}

DirectoryFacts own_directory() {
  return {.exists = true,
          .is_directory = true,
          .owner = 1000,
          .mode = 0700,
          .user = 1000,
          .writable = true,
          .parent = {},
          .error = {}};
}

TEST_CASE("a directory of our own that only we may write is fine") {
  CHECK(says(judge_directory("/d", own_directory()), Level::ok, "/d belongs to user 1000, mode 0700"));
}

TEST_CASE("a directory of somebody else is refused with the command that cures it") {
  auto facts = own_directory();
  facts.owner = 0;
  CHECK(says(judge_directory("/d", facts), Level::error, "run `chown -R 1000 /d`"));
}

TEST_CASE("root, who checks for another user, is told to check as that user") {
  auto facts = own_directory();
  facts.user = 0;
  CHECK(says(judge_directory("/d", facts), Level::warning, "run this check as the user that runs the agent"));
}

TEST_CASE("a directory that others may write is refused with the command that cures it") {
  auto facts = own_directory();
  facts.mode = 0775;
  CHECK(says(judge_directory("/d", facts), Level::error, "mode 0775): run `chmod go-w /d`"));
}

TEST_CASE("a read-only file system is named as the likely reason") {
  auto facts = own_directory();
  facts.writable = false;
  CHECK(says(judge_directory("/d", facts), Level::error, "read-only"));
}

TEST_CASE("a directory that is missing is created later, where that is possible") {
  DirectoryFacts facts{.user = 1000, .writable = true, .parent = "/var/lib", .error = {}};
  CHECK(says(judge_directory("/var/lib/d", facts), Level::ok, "the agent creates it below /var/lib"));
  facts.writable = false;
  CHECK(says(judge_directory("/var/lib/d", facts), Level::error, "install -d -m 700 -o 1000 /var/lib/d"));
}

TEST_CASE("a file in the place of the directory is refused") {
  auto facts = own_directory();
  facts.is_directory = false;
  CHECK(says(judge_directory("/d", facts), Level::error, "not a directory"));
}

TEST_CASE("free space below the floor leaves the flow, and next to no backlog") {
  const auto findings = judge_disk(small(), DiskFacts{.size_bytes = 40 * kGiB, .free_bytes = 7 * kGiB});
  CHECK(says(findings.at(0), Level::warning,
             "7.0 GiB of 40.0 GiB free, 8.0 GiB (20%) to be left free: samples flow"));
  CHECK(says(findings.at(0), Level::warning, "only 32.0 MiB of them are taken"));
}

TEST_CASE("where no kubelet evicts by share, a large disk is not left empty by a fifth") {
  const DiskFacts large{.size_bytes = 1000 * kGiB, .free_bytes = 100 * kGiB};
  CHECK(says(judge_disk(small(), large, true).at(0), Level::warning, "200 GiB (20%) to be left free"));
  CHECK(says(judge_disk(small(), large, false).at(0), Level::ok, "4.0 GiB (the most"));
  auto config = small();
  config.disk.keep_free = config::Percentage{0.05};
  CHECK(says(judge_disk(config, large, false).at(0), Level::ok, "50.0 GiB (5%) to be left free"));
}

TEST_CASE("a buffer that fits above the floor is fine, with the default budget of a tenth") {
  const auto findings = judge_disk(small(), DiskFacts{.size_bytes = 40 * kGiB, .free_bytes = 30 * kGiB});
  CHECK(says(findings.at(0), Level::ok, "30.0 GiB of 40.0 GiB free"));
  CHECK(says(findings.at(1), Level::ok, "4.0 GiB for the buffer, 22.0 GiB available"));
}

TEST_CASE("a buffer that does not fit now is a warning, one that never fits an error") {
  auto config = small();
  config.metrics->max_bytes = config::Size{10 * kGiB};
  CHECK(says(judge_disk(config, DiskFacts{40 * kGiB, 12 * kGiB}).at(1), Level::warning,
             "4.0 GiB are available now"));
  config.metrics->max_bytes = config::Size{33 * kGiB};
  CHECK(says(judge_disk(config, DiskFacts{40 * kGiB, 40 * kGiB}).at(1), Level::error, "can never fit"));
}

TEST_CASE("a clock at the epoch or in the far future is an error, one that nothing synchronises a warning") {
  const auto at = [](std::int64_t seconds) {
    return std::chrono::system_clock::time_point{std::chrono::seconds(seconds)};
  };
  CHECK(says(judge_clock({at(0), true}), Level::error, "it is 1970-01-01 00:00:00 UTC"));
  CHECK(says(judge_clock({at(5'000'000'000), true}), Level::error, "set the clock"));
  CHECK(says(judge_clock({at(1'800'000'000), false}), Level::warning, "nothing synchronises it"));
  CHECK(says(judge_clock({at(1'800'000'000), true}), Level::ok, "it is 2027"));
  CHECK(says(judge_clock({at(1'800'000'000), std::nullopt}), Level::ok, "it is 2027"));
}

TEST_CASE("memory below what an outage takes is a warning, above the cgroup's an error") {
  auto config = small();
  CHECK(says(judge_memory(config, std::nullopt), Level::ok, "neither"));
  CHECK(says(judge_memory(config, 160ULL << 20), Level::ok, "160 MiB"));
  CHECK(says(judge_memory(config, 100ULL << 20), Level::warning, "100 MiB is less than the 128 MiB"));
  config.memory.limit = config::Size{256ULL << 20};
  CHECK(says(judge_memory(config, 160ULL << 20), Level::error,
             "256 MiB is above the cgroup's limit of 160 MiB"));
  CHECK(says(judge_memory(config, std::nullopt), Level::ok, "256 MiB"));
}

TEST_CASE("a credential must be there, and not for everybody") {
  const FileFacts fine{.exists = true, .is_file = true, .readable = true, .empty = false, .mode = 0440};
  CHECK(says(judge_file("s", "/k", fine, Secrecy::secret), Level::ok, "/k is readable"));
  auto open = fine;
  open.mode = 0644;
  CHECK(says(judge_file("s", "/k", open, Secrecy::secret), Level::warning, "defaultMode 0440"));
  CHECK(says(judge_file("s", "/ca", open, Secrecy::open), Level::ok, "/ca is readable"));
  CHECK(says(judge_file("s", "/k", FileFacts{}, Secrecy::secret), Level::error, "does not exist"));
  auto unreadable = fine;
  unreadable.readable = false;
  CHECK(says(judge_file("s", "/k", unreadable, Secrecy::secret), Level::error, "cannot be read"));
  auto empty = fine;
  empty.empty = true;
  CHECK(says(judge_file("s", "/k", empty, Secrecy::secret), Level::error, "is empty"));
  auto folder = fine;
  folder.is_file = false;
  CHECK(says(judge_file("s", "/k", folder, Secrecy::secret), Level::error, "not a file"));
}

TEST_CASE("the window that a receiver needs is the guarantee and a quarter, in half hours") {
  CHECK(window_needed(2h + 42min) == 3h + 30min);
  CHECK(window_needed(4h) == 5h);
  CHECK(window_needed(1min) == 30min);
}

TEST_CASE("a window that does not hold the guarantee is a warning with Thanos' flags") {
  auto destination = small().metrics->destinations[0];
  CHECK(says(judge_window(destination, 2h + 42min), Level::warning, "--tsdb.out-of-order.time-window=3h30m"));
  destination.out_of_order_window = 3h;
  const auto finding = judge_window(destination, 2h + 42min);
  CHECK(says(finding, Level::warning, "3h is less than the guarantee of 2h42m"));
  CHECK(says(finding, Level::warning, "--compact.enable-vertical-compaction"));
  destination.out_of_order_window = 4h;
  CHECK(says(judge_window(destination, 2h + 42min), Level::ok, "4h holds an outage of 2h42m"));
}

TEST_CASE("a cursor whose destination is gone is pointed out, others are not") {
  const auto findings = judge_cursors(small(), {"thanos", "old"});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].subject == "destination old");
  CHECK(says(findings[0], Level::warning, "no longer in the configuration"));
}

}  // namespace
}  // namespace tideover::check
