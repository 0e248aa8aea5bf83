#include "agent/inheritance/inheritance.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover {
namespace {

constexpr const char* kVariable = "TIDEOVER_INHERITANCE";
constexpr std::string_view kFirstWords = "tideover inheritance 1 of process ";

// Cuts `text` behind the next line break and returns what was before it.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// The number in front of `text`, which is cut behind it and one space.
std::optional<int> next_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

// "listener 7 127.0.0.1:7302" begins the sockets of one server, "connection 9" adds to them.
bool read_socket(std::string_view line, std::vector<server::Sockets>& sockets) {
  constexpr std::string_view kListener = "listener ";
  constexpr std::string_view kConnection = "connection ";
  const bool listens = line.starts_with(kListener);
  if (!listens && !line.starts_with(kConnection)) return false;
  line.remove_prefix(listens ? kListener.size() : kConnection.size());
  const std::optional<int> descriptor = next_number(line);
  if (!descriptor || *descriptor <= STDERR_FILENO || line.empty() == listens) return false;
  if (listens)
    sockets.push_back({std::string(line), *descriptor, {}});
  else if (sockets.empty())
    return false;
  else
    sockets.back().connections.push_back(*descriptor);
  return true;
}

std::string read_all(int descriptor) {
  std::string text;
  char piece[4096];
  off_t at = 0;
  for (ssize_t got = 1; got > 0; at += got) {
    got = ::pread(descriptor, piece, sizeof piece, at);
    if (got > 0) text.append(piece, static_cast<std::size_t>(got));
  }
  return text;
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void keep_over_exec(int descriptor) {
  if (descriptor >= 0) ::fcntl(descriptor, F_SETFD, 0);
}

}  // namespace

server::Sockets Inheritance::take(std::string_view address) {
  const auto found = std::ranges::find(sockets, address, &server::Sockets::address);
  if (found == sockets.end()) return {};
  server::Sockets taken = std::move(*found);
  sockets.erase(found);
  return taken;
}

void close_inheritance(Inheritance& inheritance) {
  for (server::Sockets& left : inheritance.sockets) server::close_sockets(left);
  inheritance.sockets.clear();
}

std::string write_inheritance(const Inheritance& inheritance, pid_t process) {
  std::string text = fmt::format("{}{}\n", kFirstWords, process);
  for (const server::Sockets& left : inheritance.sockets) {
    fmt::format_to(std::back_inserter(text), "listener {} {}\n", left.listener, left.address);
    for (const int connection : left.connections)
      fmt::format_to(std::back_inserter(text), "connection {}\n", connection);
  }
  return text + "config\n" + inheritance.config;
}

std::optional<Inheritance> read_inheritance(std::string_view text, pid_t process) {
  std::string_view first = next_line(text);
  if (!first.starts_with(kFirstWords)) return std::nullopt;
  first.remove_prefix(kFirstWords.size());
  if (next_number(first) != process) return std::nullopt;
  Inheritance inheritance;
  std::string_view line = next_line(text);
  for (; line != "config"; line = next_line(text))
    if (!read_socket(line, inheritance.sockets)) return std::nullopt;
  inheritance.config = text;
  return inheritance;
}

Result<> bequeath(const Inheritance& inheritance) {
  const auto failed = [](const char* tried) {
    return fail(Errc::io_error, fmt::format("{}: {}", tried, std::strerror(errno)));
  };
  const int file = ::memfd_create("tideover-inheritance", MFD_CLOEXEC);
  if (file < 0) return failed("create an anonymous file");
  const bool written = write_all(file, write_inheritance(inheritance, ::getpid())) &&
                       ::setenv(kVariable, std::to_string(file).c_str(), 1) == 0;
  if (!written) {
    const Error error = failed("write an anonymous file");
    ::close(file);
    return error;
  }
  // Before Linux 5.11 this does nothing, and descriptors that libraries did not mark themselves stay open.
  (void)::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  keep_over_exec(file);
  for (const server::Sockets& left : inheritance.sockets) {
    keep_over_exec(left.listener);
    for (const int connection : left.connections) keep_over_exec(connection);
  }
  return {};
}

std::optional<Inheritance> inherit() {
  const char* value = std::getenv(kVariable);
  if (value == nullptr) return std::nullopt;
  std::string_view text = value;
  const std::optional<int> file = next_number(text);
  ::unsetenv(kVariable);
  if (!file || *file <= STDERR_FILENO) return std::nullopt;
  std::optional<Inheritance> inheritance = read_inheritance(read_all(*file), ::getpid());
  if (inheritance) ::close(*file);  // of another process it may be anything
  return inheritance;
}

}  // namespace tideover
