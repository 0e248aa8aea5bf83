// Which files are one log, in what order, and where a position is in them: plain ones above all.
#include "agent/tail/chain.h"

#include <catch2/catch.hpp>

namespace tideover::tail {
namespace {

using Names = std::vector<std::string>;

Chain plain() { return {"/var/log/app.log", "/var/log", "app.log", Format::plain}; }

Member plain_member(const std::string& name, std::int64_t modified_ns, std::uint64_t inode = 1,
                    const std::string& content = "") {
  auto member = member_of(plain(), name);
  REQUIRE(member);
  member->info.id = {1, inode};
  member->info.modified_ns = modified_ns;
  member->info.size = member->content_bytes = content.size();
  member->head = content;
  return *member;
}

Member cri_member(const std::string& name, const std::string& head) {
  auto member = member_of({"uid/app", "/pods/app", {}, Format::cri}, name);
  REQUIRE(member);
  member->head = head;
  return *member;
}

Names names(const std::vector<Member>& members) {
  Names all;
  for (const Member& member : members) all.push_back(member.name);
  return all;
}

Position at(std::uint64_t inode, const std::string& content, std::uint64_t offset) {
  Position position;
  position.id = {1, inode};
  position.name = "app.log";
  position.head = mark_of(content);
  position.offset = offset;
  position.size = content.size();
  return position;
}

TEST_CASE("what logrotate makes of a plain file's name is its chain, and nothing else beside it") {
  for (const char* name : {"app.log", "app.log.1", "app.log.10", "app.log.2.gz", "app.log-20261128",
                           "app.log-20261128.gz", "app.log.20261128-1000"}) {
    CAPTURE(name);
    const auto member = member_of(plain(), name);
    REQUIRE(member);
    CHECK(member->live == (std::string(name) == "app.log"));
    CHECK(member->compressed == std::string(name).ends_with(".gz"));
  }
  for (const char* name : {"app.lo", "app.log.bak", "app.log1", "app.log.", "app.log-", "app.log.1.tmp",
                           "app.log.gz", "app.log.1.xz", "other.log", "my.app.log"}) {
    CAPTURE(name);
    CHECK_FALSE(member_of(plain(), name));
  }
}

TEST_CASE("plain files are in order of their last writing, the one being written last whatever its time") {
  CHECK(names(in_order({plain_member("app.log", 1), plain_member("app.log.1", 30),
                        plain_member("app.log.10.gz", 10), plain_member("app.log.2.gz", 20)},
                       Format::plain)) == Names{"app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"});
}

TEST_CASE("plain files of one time are in order of their names: the larger number, the earlier date first") {
  CHECK(names(in_order({plain_member("app.log", 5), plain_member("app.log.1", 5),
                        plain_member("app.log.9", 5), plain_member("app.log.10", 5)},
                       Format::plain)) == Names{"app.log.10", "app.log.9", "app.log.1", "app.log"});
  CHECK(names(in_order({plain_member("app.log", 5), plain_member("app.log-20261128", 5),
                        plain_member("app.log-20261127", 5)},
                       Format::plain)) == Names{"app.log-20261127", "app.log-20261128", "app.log"});
}

TEST_CASE("a file whose compressed copy stands beside it is there once, as itself") {
  CHECK(names(in_order(
            {plain_member("app.log.1.gz", 5), plain_member("app.log.1", 5), plain_member("app.log.2.gz", 4)},
            Format::plain)) == Names{"app.log.2.gz", "app.log.1"});
}

TEST_CASE("when summer ends, kubelet's files are in order of their first lines, not of their names") {
  CHECK(names(in_order({cri_member("0.log.20261025-021000", "2026-10-25T01:10:00Z stdout F later\n"),
                        cri_member("0.log.20261025-025000", "2026-10-25T00:50:00Z stdout F earlier\n"),
                        cri_member("0.log", "2026-10-25T01:20:00Z stdout F now\n")},
                       Format::cri)) == Names{"0.log.20261025-025000", "0.log.20261025-021000", "0.log"});
}

TEST_CASE("a plain position is found in what its file was renamed to") {
  const auto spot = locate(
      at(7, "one\ntwo\n", 4),
      {plain_member("app.log.1", 1, 7, "one\ntwo\nmore\n"), plain_member("app.log", 2, 8, "one\ntwo\n")},
      Format::plain);
  REQUIRE(spot);
  CHECK(spot->member == 0);
  CHECK(spot->offset == 4);
}

TEST_CASE("after copytruncate, a plain position is in the copy, not in the file that kept its number") {
  const auto spot =
      locate(at(7, "one\ntwo\n", 4),
             {plain_member("app.log.1", 1, 9, "one\ntwo\nmore\n"), plain_member("app.log", 2, 7, "new\n")},
             Format::plain);
  REQUIRE(spot);
  CHECK(spot->member == 0);
}

TEST_CASE("a plain file that was truncated and grew beyond the place is not where the position is") {
  const std::string begins = "start\n";
  Member regrown = plain_member("app.log", 2, 7, begins + "another text, longer\n");
  regrown.before_matches = false;  // it begins alike, as logs with a header do
  CHECK_FALSE(locate(at(7, begins, 10), {regrown}, Format::plain));
  regrown.before_matches = true;
  CHECK(locate(at(7, begins, 10), {regrown}, Format::plain));
}

TEST_CASE("a plain file that is shorter than the place was written anew; a runtime's lost its end") {
  const std::string begins = "2026-10-25T01:10:00Z stdout F one\n";
  const Member shorter = plain_member("app.log", 2, 7, begins);
  CHECK_FALSE(locate(at(7, begins, 100), {shorter}, Format::plain));
  const auto spot = locate(at(7, begins, 100), {shorter}, Format::cri);
  REQUIRE(spot);
  CHECK(spot->offset == begins.size());
}

TEST_CASE("another plain file of the same beginning is not taken for ours while it is being written") {
  CHECK_FALSE(locate(at(7, "one\n", 4), {plain_member("app.log", 2, 8, "one\n")}, Format::plain));
  CHECK(locate(at(7, "one\n", 4), {plain_member("app.log.1", 2, 8, "one\n")}, Format::plain));
}

}  // namespace
}  // namespace tideover::tail
