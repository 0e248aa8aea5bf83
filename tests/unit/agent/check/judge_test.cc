// The sentences that an operator gets about a node: each names the fact, the reason and the cure.
#include "agent/check/judge.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "agent/check/listeners.h"
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
  return {.exists = true, .is_directory = true, .owner = 1000, .mode = 0700, .user = 1000, .writable = true};
}

TEST_CASE("what the agent could not live in is an error, and root is told to ask as the agent's user") {
  CHECK(says(judge_directory("/d", own_directory()), Level::ok, "/d belongs to user 1000, mode 0700"));
  auto facts = own_directory();
  facts.writable = false;
  CHECK(says(judge_directory("/d", facts), Level::error, "read-only"));
  facts = own_directory();
  facts.user = 0;
  CHECK(says(judge_directory("/d", facts), Level::warning, "run this check as the user that runs the agent"));
  CHECK(says(judge_store_directory("/d/store", facts), Level::error, "belongs to user 1000"));
}

TEST_CASE("a directory that another process uses is an error, with the process") {
  CHECK(says(judge_lock("/d", "process 7"), Level::error, "/d is in use by process 7"));
  CHECK(says(judge_lock("/d", std::nullopt), Level::ok, ""));
}

TEST_CASE("what keeps the operators' socket from being made is an error, one left behind is not") {
  CHECK(says(judge_socket("/d/admin.sock", AtSocket::left_behind), Level::ok, "free"));
  CHECK(says(judge_socket("/d/admin.sock", AtSocket::in_use), Level::error, "no agent"));
  CHECK(says(judge_socket("/d/admin.sock", AtSocket::no_socket), Level::error, "move it away"));
}

TEST_CASE("an address that is taken, foreign or privileged is an error, with the cure") {
  const config::Address here{"127.0.0.1", 7302};
  CHECK(says(judge_listener("k", here, 0, {}).at(0), Level::ok, "is free"));
  CHECK(says(judge_listener("k", here, EADDRINUSE, {}).at(0), Level::error, "ss -ltnp sport = :7302"));
  CHECK(says(judge_listener("k", here, EADDRNOTAVAIL, {}).at(0), Level::error,
             "127.0.0.1 is no address of this node"));
  CHECK(says(judge_listener("k", here, EACCES, {}).at(0), Level::error, "from 1024 on"));
  CHECK(says(judge_listener("k", here, EAFNOSUPPORT, {}).at(0), Level::error, "Address family"));
}

TEST_CASE("an agent does not stand in its own way, and others do") {
  const config::Address here{"127.0.0.1", 7302};
  CHECK(
      says(judge_listener("k", here, EADDRINUSE, {{"0.0.0.0", 7302}}).at(0), Level::ok, "held by the agent"));
  CHECK(says(judge_listener("k", here, EADDRINUSE, {{"127.0.0.1", 7303}}).at(0), Level::error, "taken"));
  CHECK(says(judge_listener("k", here, EACCES, {here}).at(0), Level::error, "may not listen"));
}

TEST_CASE("listening beyond loopback is a warning, whatever else is said") {
  const auto findings = judge_listener("k", {"0.0.0.0", 7302}, EADDRINUSE, {});
  REQUIRE(findings.size() == 2);
  CHECK(says(findings[1], Level::warning, "can be reached from other nodes"));
}

TEST_CASE("a directory of logs that cannot be listed is a warning: it may come") {
  CHECK(says(judge_logs("/var/log/pods", ""), Level::ok, "/var/log/pods can be read"));
  CHECK(says(judge_logs("/var/log/pods", "Permission denied"), Level::warning,
             "/var/log/pods cannot be listed (Permission denied)"));
}

TEST_CASE("a url without a path is taken as it stands, with a word about it") {
  const auto config = small();
  CHECK(says(judge_path({"metrics", &config.metrics->destinations[0]}), Level::warning,
             "http://t has no path"));
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

TEST_CASE("the budgets of two signals are held to the disk together") {
  auto config = small();
  config.metrics->max_bytes = config::Size{20 * kGiB};
  config.logs.emplace().max_bytes = config::Size{10 * kGiB};
  auto findings = judge_disk(config, DiskFacts{40 * kGiB, 40 * kGiB});
  CHECK(says(findings.at(1), Level::ok, "20.0 GiB for the buffer, 32.0 GiB available"));
  CHECK(findings.at(2).subject == "logs.max_bytes");
  CHECK(says(findings.at(2), Level::ok, "30.0 GiB for the buffer"));
  config.logs->max_bytes = config::Size{13 * kGiB};
  CHECK(says(judge_disk(config, DiskFacts{40 * kGiB, 40 * kGiB}).at(2), Level::error, "can never fit"));
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
  CHECK(says(judge_memory(config, 64ULL << 20), Level::warning, "share 12.0 MiB instead of 24.0 MiB"));
  CHECK(
      says(judge_memory(config, 64ULL << 20, 3), Level::warning, "one may have 4.0 MiB instead of 8.0 MiB"));
  CHECK(says(judge_memory(config, std::nullopt, 4), Level::warning, "4 addresses: one may have 6.0 MiB"));
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
