#include "agent/log/log.h"

#include <cerrno>
#include <map>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>

#include "agent/log/rate_limit.h"

namespace tideover::log {
namespace {

using SteadyTime = RateLimit::Time;

class Log {
 public:
  void configure(Options options) {
    const std::lock_guard lock(mutex_);
    options_ = std::move(options);
    sites_.clear();
  }

  void event(Level level, std::string_view sentence, std::span<const Field> fields,
             const boost::source_location& where) {
    const std::lock_guard lock(mutex_);
    if (level < options_.level) return;
    const auto now = std::chrono::steady_clock::now();
    write_counts(now);
    // The address of a file's name is as good as its text: both stand for the same lines of code.
    if (sites_[{where.file_name(), where.line()}].allow(now)) write(level, sentence, fields);
  }

  void flush() {
    const std::lock_guard lock(mutex_);
    write_counts(SteadyTime::max());
  }

 private:
  // There are as many sites as log::event() calls in the source.
  void write_counts(SteadyTime now) {
    for (auto& [site, limit] : sites_) {
      const auto count = limit.take_left_out(now);
      if (count == 0) continue;
      const std::string_view file = site.first;
      const Field fields[] = {
          {"count", count}, {"file", file.substr(file.rfind('/') + 1)}, {"line", site.second}};
      write(Level::warn, "events of one kind were left out of the log", fields);
    }
  }

  void write(Level level, std::string_view sentence, std::span<const Field> fields) {
    std::string line =
        format_line(options_.format, std::chrono::system_clock::now(), level, sentence, fields);
    if (options_.write) return options_.write(line);
    line += '\n';
    write_all(line);
  }

  // In one call where the system takes it whole, so that lines of several processes do not mix. A log that
  // cannot be written to is nobody's fault here: the line is left out.
  static void write_all(std::string_view line) {
    while (!line.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      line.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  std::mutex mutex_;  // threads of the agent meet here, for the length of one line
  Options options_;
  std::map<std::pair<const char*, std::uint_least32_t>, RateLimit> sites_;
};

// The one object of the process that is not wired by its composition root: a log line must never need
// plumbing.
Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void configure(Options options) { the_log().configure(std::move(options)); }

void event(Level level, std::string_view sentence, std::initializer_list<Field> fields,
           const boost::source_location& where) {
  the_log().event(level, sentence, {fields.begin(), fields.size()}, where);
}

void flush() { the_log().flush(); }

}  // namespace tideover::log
