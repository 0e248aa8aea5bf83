// The disk that forgets, below processes that are killed: what was durable before stays so, and what a kill
// left half told is neither lost nor taken for durable.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/crash/disk/status.h"
#include "tests/support/temp_directory.h"

namespace tideover::disk {
namespace {

namespace fs = std::filesystem;

struct Disk {
  Disk() {
    fs::create_directories(root);
    fs::create_directories(graves);
    for (const char* name : {"a", "b", "c"}) std::ofstream(root / name) << name;
  }
  std::string loaded(const std::string& command, const std::string& settings = {}) const {
    return std::string("LD_PRELOAD=") + FORGETFUL_DISK + " TIDEOVER_DISK_ROOT=" + root.string() +
           " TIDEOVER_DISK_GRAVES=" + graves.string() + " " + settings + " " + command + " 2>/dev/null";
  }
  // A life on it, to a power cut at its Nth change of a name.
  void live(const std::string& command, int cut, int seed) const {
    const std::string settings =
        "TIDEOVER_DISK_CUT=name:" + std::to_string(cut) + " TIDEOVER_DISK_SEED=" + std::to_string(seed);
    const int status = std::system(loaded(command, settings).c_str());
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == kPowerCutStatus);
  }
  std::string found(const std::string& name) const {  // a line of the journal
    struct stat info {};
    REQUIRE(::stat((root / name).c_str(), &info) == 0);
    return "found\t" + std::to_string(info.st_ino) + "\t0\t1\t" + (root / name).string() + "\n";
  }

  const TempDirectory folder;
  const fs::path root = fs::path(folder / "disk");
  const fs::path graves = fs::path(folder / "graves");
};

// Found in a run on a busy machine: what the killed process had not come to was gone after a power cut.
TEST_CASE("a process that is killed at its first look has said nothing of what it did not see", "[crash]") {
  const Disk disk;
  for (int i = 0; i < 100; ++i) std::ofstream(disk.root / std::to_string(i)) << i;
  // Its journal outgrows what it may write: a signal ends it in the middle.
  const int ended =
      std::system(("ulimit -f 1; " + disk.loaded("touch " + (disk.root / "never").string())).c_str());
  REQUIRE(ended != 0);
  REQUIRE_FALSE(fs::exists(disk.root / "never"));
  disk.live("touch " + (disk.root / "new").string(), 1, 1);
  for (int i = 0; i < 100; ++i) CHECK(fs::exists(disk.root / std::to_string(i)));
}

TEST_CASE("a rename whose process was killed before it was told happened whole or not at all", "[crash]") {
  const int seed = GENERATE(range(1, 9));
  const bool synced = GENERATE(false, true);  // the directory, by the next process
  const Disk disk;
  std::ofstream(disk.graves / "journal") << disk.found("a") << disk.found("b") << disk.found("c");
  const auto inode = [](const fs::path& file) {
    struct stat info {};
    return ::stat(file.c_str(), &info) == 0 ? info.st_ino : 0;
  };
  const auto before = inode(disk.root / "a");
  const auto moved = inode(disk.root / "b");
  for (const char* name : {"a", "b"})  // as the disk buries them
    fs::create_hard_link(disk.root / name, disk.graves / std::to_string(inode(disk.root / name)));
  fs::rename(disk.root / "b", disk.root / "a");
  const std::string touch = "touch " + (disk.root / "new").string();
  disk.live(synced ? "sh -c 'sync " + disk.root.string() + "; " + touch + "'" : touch, 1, seed);
  CHECK(fs::exists(disk.root / "c"));
  const auto now = inode(disk.root / "a");
  CHECK((now == moved || (now == before && !synced)));
  CHECK(fs::exists(disk.root / "b") == (now == before));
}

}  // namespace
}  // namespace tideover::disk
