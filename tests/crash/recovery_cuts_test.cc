// The power goes in the midst of every kind of recovery, and once more in the recovery from that: what was
// acknowledged is there all the same.
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <sys/wait.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/disk/status.h"
#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

// A recovery is cut at about so many creations, renamings and removals, syncs, and writes.
constexpr int kCuts = 32;
constexpr int kOtherCuts = 8;

// Opens the store of a directory in a process of its own, on a disk that forgets.
class Opener {
 public:
  explicit Opener(std::string directory) : directory_(std::move(directory)) {}
  ~Opener() {
    std::error_code ignored;
    fs::remove_all(graves_, ignored);
  }

  // `cut`: as power.h; empty: the power stays. Whether the power was cut.
  bool open(const std::string& cut, int seed) {
    fs::remove_all(graves_);
    const int status = std::system(
        fmt::format("LD_PRELOAD={} TIDEOVER_DISK_ROOT={} TIDEOVER_DISK_GRAVES={} TIDEOVER_DISK_CUT={} "
                    "TIDEOVER_DISK_SEED={} {} {} {} 2>{}",
                    FORGETFUL_DISK, directory_, graves_, cut, seed,
                    bad_.empty() ? "" : "TIDEOVER_DISK_BAD=" + bad_, CRASH_OPENER, directory_, words_)
            .c_str());
    REQUIRE(WIFEXITED(status));
    const int code = WEXITSTATUS(status);
    INFO(words());
    REQUIRE((code == 0 || code == disk::kPowerCutStatus));
    return code == disk::kPowerCutStatus;
  }
  std::string words() const {  // of the last process
    std::ifstream file(words_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Files that cannot be read by the process.
  void read_through(const std::string& table) { bad_ = table; }

 private:
  const std::string directory_;
  const std::string graves_ = directory_ + ".graves", words_ = directory_ + ".words";
  std::string bad_;
};

struct Losses {
  std::uint64_t metrics_max = 0, logs_max = 0;
};

void check_everything(const std::string& directory, const Losses& losses) {
  std::vector<std::string> notes;
  RocksOptions options = options_for(directory, &notes);
  options.read_patience = std::chrono::milliseconds(2);
  RocksStore store(options);
  const auto image = store.open();
  for (const std::string& note : notes) UNSCOPED_INFO(note);
  REQUIRE(image);
  CHECK(image->meta.at("commit") == std::to_string(kWrittenGroups));
  CHECK(image->tails.at(kMetrics).seq == Seq{kMetricRecords});
  const Seen metrics = read_lane(store, kMetrics, kMetricRecords, kMetricBytes);
  const Seen logs = read_lane(store, kLogs, kLogRecords, kLogBytes);
  CHECK(metrics.present + losses.metrics_max >= kMetricRecords);
  CHECK(logs.present + losses.logs_max >= kLogRecords);
  CHECK(metrics.altered + logs.altered == 0);

  // The store goes on.
  LaneWriter more(kMetrics, Seq{kMetricRecords + 1});
  REQUIRE(store.commit(batch_of({more.put("after")}, {{"commit", "after"}})));
  const auto again = store.open();
  REQUIRE(again);
  CHECK(again->tails.at(kMetrics).payload() == "after");
}

using Harm = std::function<void(const WrittenStore& original, const std::string& directory, Opener& opener)>;

// `harm`: what is wrong with the directory that is recovered; `said`: what the recovery then says.
void cut_everywhere(const std::string& said, const Losses& losses, const Harm& harm) {
  WrittenStore written;
  {
    const std::string directory = written.fresh_copy();
    Opener opener(directory);
    harm(written, directory, opener);
    CHECK_FALSE(opener.open("", 1));
    CHECK_THAT(opener.words(), Catch::Contains(said));
    check_everything(directory, losses);
  }
  int cuts = 0, second_cuts = 0;
  for (const char* kind : {"name", "sync", "write"}) {
    // Where the recovery ends by itself is not known beforehand: twice as far every time, then in even steps.
    const auto cut_at = [&](int operation, bool check) {
      const std::string directory = written.fresh_copy();
      Opener opener(directory);
      harm(written, directory, opener);
      INFO(kind << " " << operation);
      if (!opener.open(fmt::format("{}:{}", kind, operation), operation)) return false;
      if (!check) return true;
      ++cuts;
      second_cuts += opener.open(fmt::format("any:{}", 1 + operation * 7 % 40), operation) ? 1 : 0;
      check_everything(directory, losses);
      return true;
    };
    int end = 1;
    while (cut_at(end, false)) end *= 2;
    const int step = std::max(1, end / (kind == std::string_view("name") ? kCuts : kOtherCuts));
    for (int operation = 1; operation < end && cut_at(operation, true); operation += step) {
    }
  }
  CHECK(cuts > 10);
  CHECK(second_cuts > 5);
}

fs::path file_of(const std::string& directory, const std::string& kind) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory))
    if (kind_of(entry.path()) == kind && entry.is_regular_file() && entry.file_size() > 0)
      found.push_back(entry.path());
  REQUIRE_FALSE(found.empty());
  return *std::max_element(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    return fs::file_size(a) < fs::file_size(b);
  });
}

// A table of its own for each process; the next one can read the file, or what was made of it.
void make_unreadable(Opener& opener, const std::string& directory, const fs::path& file,
                     disk::Extent extent) {
  static std::optional<disk::BadSectors> sectors;
  sectors.emplace(directory + ".bad");
  sectors->clear();
  sectors->add(file, extent);
  opener.read_through(directory + ".bad");
}

disk::Extent page_in_the_middle(const fs::path& file) {
  return disk::Extent::page(fs::file_size(file) / 2 / disk::kPage);
}

}  // namespace

TEST_CASE("power cuts in the recovery of a healthy store lose nothing", "[crash]") {
  cut_everywhere("", {}, [](auto&...) {});
}

TEST_CASE("power cuts while the database is built anew lose nothing", "[crash]") {
  cut_everywhere("the store is built anew", {}, [](auto&, const std::string& directory, auto&) {
    fs::resize_file(file_of(directory, "MANIFEST"), 0);
  });
}

TEST_CASE("power cuts while tables are taken in that the manifest does not name lose nothing", "[crash]") {
  cut_everywhere("tables that the manifest does not name", {},
                 [](const WrittenStore& original, const std::string& directory, auto&) {
                   REQUIRE(RocksStore(options_for(directory)).open());  // its log is in tables now
                   fs::remove(file_of(directory, "MANIFEST"));
                   for (const fs::path& file : original.files())
                     if (kind_of(file) == "MANIFEST" || kind_of(file) == "CURRENT")
                       fs::copy_file(file, fs::path(directory) / file.filename(),
                                     fs::copy_options::overwrite_existing);
                 });
}

TEST_CASE("power cuts while CURRENT is written anew lose nothing", "[crash]") {
  cut_everywhere("CURRENT was written anew", {},
                 [](auto&, const std::string& directory, auto&) { fs::remove(directory + "/CURRENT"); });
}

TEST_CASE("power cuts while a damaged log is written anew cost what the damage costs", "[crash]") {
  cut_everywhere("are damaged", {.metrics_max = 1, .logs_max = 1},
                 [](auto&, const std::string& directory, auto&) {
                   const fs::path log = file_of(directory, "log");
                   flip(log, fs::file_size(log) / 2);
                 });
}

TEST_CASE("power cuts while a log is written anew that cannot be read cost what lay there", "[crash]") {
  cut_everywhere("cannot be read", {.metrics_max = 2, .logs_max = 11},
                 [](auto&, const std::string& directory, Opener& opener) {
                   const fs::path log = file_of(directory, "log");
                   make_unreadable(opener, directory, log, page_in_the_middle(log));
                 });
}

TEST_CASE("power cuts in a rebuilding from a table that cannot be read cost what lay there", "[crash]") {
  cut_everywhere("cannot be read", {.metrics_max = 2, .logs_max = 11},
                 [](auto&, const std::string& directory, Opener& opener) {
                   const fs::path table = file_of(directory, "table");
                   fs::resize_file(file_of(directory, "MANIFEST"), 0);
                   make_unreadable(opener, directory, table, page_in_the_middle(table));
                 });
}

}  // namespace tideover::wal
