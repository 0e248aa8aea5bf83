#include "tests/crash/agent/read_faults.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "tests/crash/agent/stored_requests.h"
#include "wal/rocks/log_format.h"

namespace tideover::crash {

namespace fs = std::filesystem;

namespace {

std::uint64_t inode_of(const fs::path& file) {
  struct stat info {};
  return ::lstat(file.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

ReadFaults::ReadFaults(fs::path directory, fs::path table, const Samples& samples, Account& account,
                       std::uint64_t seed)
    : directory_(std::move(directory)),
      table_(std::move(table)),
      samples_(samples),
      account_(account),
      random_(seed),
      sectors_(table_) {}

// First the kind of the file, so that the one CURRENT is met as often as hundreds of tables.
std::optional<fs::path> ReadFaults::choose() {
  std::map<std::string, std::vector<fs::path>> kinds;
  std::error_code error;
  for (fs::recursive_directory_iterator file(directory_, error), end; !error && file != end;
       file.increment(error)) {
    // What is kept for inspection is not read.
    if (file->is_directory(error) && file->path().filename() == "lost") file.disable_recursion_pending();
    if (!file->is_regular_file(error) || file->file_size(error) == 0 || error) continue;
    const std::string name = file->path().filename().string();
    const bool bulk = name.ends_with(".sst") || name.ends_with(".log");
    const std::string kind =
        bulk ? file->path().extension().string() : name.substr(0, name.find_first_of("-."));
    kinds[kind].push_back(file->path());
  }
  if (kinds.empty()) return std::nullopt;
  // Tables and logs hold what can be lost.
  std::string kind = random_() % 2 == 0 ? ".log" : ".sst";
  if (random_() % 5 < 2 || !kinds.contains(kind))
    kind = std::next(kinds.begin(), static_cast<std::ptrdiff_t>(random_() % kinds.size()))->first;
  std::vector<fs::path>& files = kinds[kind];
  std::sort(files.begin(), files.end());
  return files[random_() % files.size()];
}

bool ReadFaults::is_bad_for_good() const {
  if (!lasting_ || !sectors_.bad(*lasting_)) return false;
  std::error_code error;
  for (fs::recursive_directory_iterator file(directory_, error), end; !error && file != end;
       file.increment(error))
    if (inode_of(file->path()) == lasting_inode_) return true;
  return false;
}

disk::Extent ReadFaults::place_in(const fs::path& file, bool running) {
  std::error_code error;
  std::uint64_t size = fs::file_size(file, error);
  if (error) return {};
  if (random_() % 10 == 0 && !running) return {};
  // What is appended to a log later must not come to lie in the block of what is lost.
  if (running && file.extension() == ".log") size = size / wal::kLogBlock * wal::kLogBlock;
  if (size == 0) return {0, 0};
  const std::uint64_t pages = (size + disk::kPage - 1) / disk::kPage;
  const auto roll = random_() % 4;  // the first and the last are special in every file
  const std::uint64_t page = roll == 0 ? pages - 1 : roll == 1 ? 0 : random_() % pages;
  const std::uint64_t more = random_() % 4 == 0 ? random_() % 8 : 0;
  return {page * disk::kPage, std::min(pages, page + 1 + more) * disk::kPage};
}

void ReadFaults::strike(bool running) {
  const auto file = choose();
  if (!file) return;
  const disk::Extent place = place_in(*file, running);
  if (place.to == 0) return;
  disk::Lasting lasting;
  const auto roll = random_() % 10;
  if (roll < 4) lasting.reads = 1 + random_() % 3;
  if (roll >= 4 && roll < 7) lasting.time = std::chrono::milliseconds(1 + random_() % 300);
  const bool for_good = roll >= 7;
  std::string duration = "for good";
  if (roll < 4) duration = fmt::format("{} times", lasting.reads);
  if (roll >= 4 && roll < 7) duration = fmt::format("{} ms", lasting.time.count());
  if (for_good && lasting_) sectors_.heal(*std::exchange(lasting_, std::nullopt));
  if (for_good || is_bad_for_good()) {
    // Before anybody can meet it.
    for (const RequestId id : stored_requests(*file, place, samples_)) account_.may_be_lost(id);
    if (file->extension() == ".log") account_.cursors_may_fall_back();
  }
  try {
    const auto id = sectors_.add(*file, place, lasting);
    if (for_good) lasting_ = id;
    if (for_good) lasting_inode_ = inode_of(*file);
  } catch (const std::runtime_error&) {
    return;  // the agent has removed it
  }
  ++strikes_;
  if (for_good) ++for_good_;
  history_ +=
      fmt::format("{}{} [{}, {}) {}\n",
                  running ? "while running: " : "before a start: ", fs::relative(*file, directory_).string(),
                  place.from, place.to == UINT64_MAX ? "end" : std::to_string(place.to), duration);
}

}  // namespace tideover::crash
