// Whether an agent can live in a directory: every sentence names the fact, the reason and the cure.
#include "agent/home.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/data_directory.h"
#include "tests/support/catch_result.h"
#include "tests/support/skip.h"
#include "tests/support/temp_directory.h"

namespace tideover {
namespace {

namespace fs = std::filesystem;

DirectoryFacts ours(mode_t mode = 0700) {
  return {.exists = true, .is_directory = true, .owner = 1000, .mode = mode, .user = 1000, .writable = true};
}
DirectoryFacts another(mode_t mode) {
  DirectoryFacts facts = ours(mode);
  facts.owner = 0;
  return facts;
}

bool says(const Judgement& judged, Use use, std::string_view words) {
  INFO(judged.sentence);
  CHECK(judged.use == use);
  CHECK(judged.sentence.find(words) != std::string::npos);
  return judged.use == use;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

TEST_CASE("a directory is seen with its owner and mode") {
  const TempDirectory folder;
  REQUIRE(::chmod(folder.path().c_str(), 0750) == 0);
  const auto facts = look_at_directory(folder.path());
  CHECK(facts.exists);
  CHECK(facts.is_directory);
  CHECK(facts.owner == ::geteuid());
  CHECK(facts.user == ::geteuid());
  CHECK(facts.mode == 0750);
  CHECK(facts.writable);
}

TEST_CASE("of a missing directory the nearest parent is seen, and nothing is created") {
  const TempDirectory folder;
  const auto facts = look_at_directory(folder / "a/b/c");
  CHECK_FALSE(facts.exists);
  CHECK(facts.parent == folder.path());
  CHECK(facts.writable);
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a directory of our own is used, and one that others may write is taken from them") {
  CHECK(says(judge_home("/d", ours()), Use::as_it_is, "/d belongs to user 1000, mode 0700"));
  CHECK(says(judge_home("/d", ours(0755)), Use::as_it_is, "mode 0755"));
  CHECK(says(judge_home("/d", ours(02770)), Use::narrow, "takes that from them"));
  CHECK(says(judge_home("/d", ours(0777)), Use::narrow, "mode 0777"));
}

TEST_CASE("a directory that holds other things than the agent's is not narrowed under their users' feet") {
  DirectoryFacts facts = ours(0775);
  facts.stranger = "mail";
  CHECK(says(judge_home("/d", facts), Use::no, "holds mail, which is not the agent's: run `chmod go-w /d`"));
  facts.mode = 01777;  // nobody can take away what is ours in there
  CHECK(says(judge_home("/d", facts), Use::as_it_is, "mode 1777"));
}

TEST_CASE("a volume's root that belongs to another is used when we may write it and not everybody may") {
  CHECK(says(judge_home("/d", another(02775)), Use::as_it_is,
             "belongs to user 0, mode 2775, and user 1000 may write"));
  CHECK(says(judge_home("/d", another(01777)), Use::as_it_is, "may write it"));
  CHECK(says(judge_home("/d", another(0777)), Use::no,
             "`chmod o-w /d`, or name a directory below it, /d/tideover"));
  DirectoryFacts facts = another(0755);
  facts.writable = false;
  CHECK(says(judge_home("/d", facts), Use::no, "run `chown 1000 /d`, set the pod's fsGroup"));
}

TEST_CASE("a directory that cannot be written, made or be one at all is refused with the likely reason") {
  DirectoryFacts facts = ours();
  facts.writable = false;
  CHECK(says(judge_home("/d", facts), Use::no, "read-only"));
  facts = ours();
  facts.is_directory = false;
  CHECK(says(judge_home("/d", facts), Use::no, "not a directory"));
  facts = ours();
  facts.kernels = true;
  CHECK(says(judge_home("/proc/d", facts), Use::no, "keeps no files"));
  facts = {.user = 1000, .writable = true, .parent = "/var/lib"};
  CHECK(says(judge_home("/var/lib/d", facts), Use::create, "the agent creates it below /var/lib"));
  facts.writable = false;
  CHECK(says(judge_home("/var/lib/d", facts), Use::no, "install -d -m 700 -o 1000 /var/lib/d"));
}

TEST_CASE("the store below it is ours alone, whoever the directory belongs to") {
  CHECK(says(judge_store("/d/store", ours()), Use::as_it_is, "mode 0700"));
  CHECK(says(judge_store("/d/store", ours(02770)), Use::narrow, "closes it"));
  CHECK(says(judge_store("/d/store", another(0777)), Use::no, "run `chown -R 1000 /d/store`"));
}

TEST_CASE("a link to nowhere and the kernel's file systems are seen for what they are") {
  const TempDirectory folder;
  fs::create_symlink(folder / "none", folder / "link");
  CHECK(look_at_directory(folder / "link").error.find("a link to something") != std::string::npos);
  CHECK(look_at_directory("/proc/tideover").kernels);
  CHECK_FALSE(look_at_directory(folder.path()).kernels);
}

TEST_CASE("only what others may write is searched for what is not the agent's") {
  const TempDirectory folder;
  REQUIRE(::chmod(folder.path().c_str(), 02770) == 0);
  for (const char* own : {"store", "metrics", "lost+found"}) fs::create_directory(folder / own);
  std::ofstream(folder / "admin.sock") << "";
  CHECK(look_at_directory(folder.path()).stranger.empty());
  std::ofstream(folder / "mail") << "";
  CHECK(look_at_directory(folder.path()).stranger == "mail");
}

TEST_CASE("the directory is made, or narrowed, or left as it is") {
  const TempDirectory folder;
  const std::string data = folder / "a/data";
  REQUIRE(prepare_home(data).has_value());
  CHECK(mode_of(data) == 0700);
  REQUIRE(::chmod(data.c_str(), 02770) == 0);
  REQUIRE(prepare_home(data).has_value());
  CHECK((mode_of(data) & 022) == 0);
  REQUIRE(::chmod(data.c_str(), 01777) == 0);
  REQUIRE(prepare_home(data).has_value());
  CHECK(mode_of(data) == 01777);
  std::ofstream(folder / "file") << "";
  CHECK(prepare_home(folder / "file").error().code == Errc::store_refused);
}

TEST_CASE("another user's directory that we may write is left as it is") {
  if (::geteuid() != 0 && test::cannot_run("needs root to give a directory away")) return;
  const TempDirectory folder;
  const std::string data = folder / "data";
  fs::create_directory(data);
  REQUIRE(::chmod(data.c_str(), 02770) == 0);
  REQUIRE(::chown(data.c_str(), 12345, 0) == 0);
  REQUIRE(prepare_home(data).has_value());
  CHECK(mode_of(data) == 02770);
}

}  // namespace
}  // namespace tideover
