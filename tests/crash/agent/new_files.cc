#include "tests/crash/agent/new_files.h"

#include <string_view>
#include <sys/inotify.h>
#include <unistd.h>

namespace tideover::crash {

NewFiles::NewFiles(const std::filesystem::path& directory) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  ::inotify_add_watch(fd_, directory.c_str(), IN_CREATE | IN_MOVED_TO);
}

NewFiles::~NewFiles() { ::close(fd_); }

bool NewFiles::any() {
  alignas(inotify_event) char buffer[4096];
  bool found = false;
  for (ssize_t size; (size = ::read(fd_, buffer, sizeof buffer)) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(buffer + at);
      const std::string_view name(event->len == 0 ? "" : event->name);
      if (name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST-")) found = true;
      at += static_cast<ssize_t>(sizeof *event + event->len);
    }
  }
  return found;
}

}  // namespace tideover::crash
