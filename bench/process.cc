#include "bench/process.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tideover::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

constexpr auto kPoll = std::chrono::milliseconds(10);

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The number behind "key:" at the start of a line, 0 when there is none.
std::uint64_t number_after(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + ":")) return std::strtoull(line.c_str() + key.size() + 1, nullptr, 10);
  }
  return 0;
}

[[noreturn]] void become(const std::vector<std::string>& command, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

bool answers_200(std::uint16_t port, const std::string& target) {
  asio::io_context io;
  tcp::socket socket(io);
  boost::system::error_code error;
  socket.connect({asio::ip::address_v4::loopback(), port}, error);
  if (error) return false;
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", target);
  asio::write(socket, asio::buffer(request), error);
  std::string answer;
  if (!error) asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n", error);
  return answer.starts_with("HTTP/1.1 200");
}

}  // namespace

Result<Process> Process::start(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const int file = ::open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return fail(Errc::io_error, fmt::format("{}: {}", log.string(), std::strerror(errno)));
  const pid_t child = ::fork();
  if (child == 0) become(command, file);
  const int error = errno;
  ::close(file);
  if (child < 0) return fail(Errc::io_error, std::strerror(error));
  return Process(child);
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

ProcessUsage Process::usage() const {
  const std::filesystem::path proc = fmt::format("/proc/{}", pid_);
  ProcessUsage usage;
  const std::string stat = slurp(proc / "stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));  // the name before it may hold anything
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user_ticks = 0, system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  const double ticks_per_s = static_cast<double>(::sysconf(_SC_CLK_TCK));
  usage.user_s = user_ticks / ticks_per_s;
  usage.system_s = system_ticks / ticks_per_s;
  usage.rss_peak_bytes = number_after(slurp(proc / "status"), "VmHWM") * 1024;
  usage.written_bytes = number_after(slurp(proc / "io"), "write_bytes");
  std::error_code ended;
  for (const auto& thread : std::filesystem::directory_iterator(proc / "task", ended)) {
    const std::string status = slurp(thread.path() / "status");
    usage.context_switches +=
        number_after(status, "voluntary_ctxt_switches") + number_after(status, "nonvoluntary_ctxt_switches");
  }
  return usage;
}

bool Process::running() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

Result<double> Process::stop(int signal, std::chrono::seconds timeout) {
  ::kill(pid_, signal);
  const auto deadline = steady_clock::now() + timeout;
  while (running()) {
    if (steady_clock::now() > deadline) return fail(Errc::timeout, "it does not end when asked to");
    std::this_thread::sleep_for(kPoll);
  }
  int status = 0;
  rusage life{};
  ::wait4(pid_, &status, 0, &life);
  pid_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(Errc::io_error, fmt::format("it ended with wait status {:#x}", status));
  }
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(life.ru_utime) + seconds(life.ru_stime);
}

std::uint16_t free_port() {
  asio::io_context io;
  return tcp::acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
}

bool wait_until_ready(std::uint16_t port, const std::string& target, const Process& process,
                      std::chrono::seconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  while (steady_clock::now() < deadline && process.running()) {
    if (answers_200(port, target)) return true;
    std::this_thread::sleep_for(kPoll);
  }
  return false;
}

}  // namespace tideover::bench
