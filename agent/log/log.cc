#include "agent/log/log.h"

#include <map>
#include <memory>
#include <mutex>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <string>
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
    stderr_.flush();
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
    const std::string line =
        format_line(options_.format, std::chrono::system_clock::now(), level, sentence, fields);
    if (options_.write)
      options_.write(line);
    else
      stderr_.info(line);
  }

  static spdlog::logger make_stderr() {
    spdlog::logger logger("tideover", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger.set_pattern("%v");
    logger.flush_on(spdlog::level::trace);
    return logger;
  }

  std::mutex mutex_;  // threads of the agent meet here, for the length of one line
  Options options_;
  std::map<std::pair<const char*, std::uint_least32_t>, RateLimit> sites_;
  spdlog::logger stderr_ = make_stderr();
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
