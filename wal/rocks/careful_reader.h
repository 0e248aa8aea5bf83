// Reads a store's files so that what the device refuses becomes the same as what it has changed.
//
// A page that answers EIO is asked again for a while: devices recover. One that stays so beside others that
// read is damage of that place: the reader gets a filling instead, which no checksum fits and which is no
// blank sector (log_tail.h), and goes on as with changed bytes. When nothing else reads either, the device is
// away, and what it holds may come back: an error. Everything that reads a store's bytes comes through here,
// RocksDB included (read_guard.h), so that nothing is thrown away because it could not be read.
// Blocking. Any thread; one for each store.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wal/base/result.h"

namespace tideover::wal {

// Whether some of the bytes are the filling of a place that could not be read.
bool holds_unreadable(std::string_view bytes);

class CarefulReader {
 public:
  using Clock = std::chrono::steady_clock;

  // What one attempt gave: bytes (0: the end of the file), or an error number.
  struct Tried {
    std::size_t bytes = 0;
    int error = 0;
  };
  using Attempt = std::function<Tried(char* into, std::size_t size, std::uint64_t offset)>;

  // A piece of a file that stayed unreadable, at most a page.
  struct Place {
    std::string path;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };

  // `patience`: how long one page is asked again. Many bad pages share twice that in a minute, so that a
  // device with thousands of them does not keep the agent from its work.
  CarefulReader(std::string directory, Clock::duration patience)
      : directory_(std::move(directory)), patience_(patience), left_(2 * patience) {}

  // Fills `into` with [offset, offset + size) of the file at `path`, which is `file_size` long; less only at
  // its end. Errors: io_error: the device is away, or refuses for another reason than damage.
  Result<std::size_t> read(const std::string& path, std::uint64_t file_size, const Attempt& attempt,
                           char* into, std::size_t size, std::uint64_t offset);

  // The same for a file of the store: `size` bytes from `from` on, or what it has of them. Errors: as read();
  // not_found.
  Result<std::string> read_file(const std::string& path, std::uint64_t from = 0,
                                std::uint64_t size = std::uint64_t(-1));

  // Places that were found since the last call, each named once.
  std::vector<Place> take_news();
  std::uint64_t pages() const { return pages_.load(std::memory_order_relaxed); }  // found so far

 private:
  Tried ask_again(const std::string& path, const Attempt& attempt, char* into, std::size_t size,
                  std::uint64_t offset);
  Clock::duration borrow(Clock::duration wanted);
  bool device_answers(const std::string& path, std::uint64_t file_size, std::uint64_t but);
  bool known(const std::string& path, std::uint64_t offset);
  void note(Place place);

  const std::string directory_;
  const Clock::duration patience_;
  std::atomic<std::uint64_t> pages_ = 0;

  std::mutex mutex_;
  Clock::duration left_;  // to be spent on asking again
  Clock::time_point filled_{};
  Clock::time_point answered_{};  // when another place of the device was last seen to read
  std::set<std::pair<std::string, std::uint64_t>> bad_;
  std::vector<Place> news_;
};

}  // namespace tideover::wal
