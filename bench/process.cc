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

bool enter(const std::filesystem::path& cgroup_procs) {
  const int file = ::open(cgroup_procs.c_str(), O_WRONLY | O_CLOEXEC);
  return file >= 0 && ::write(file, "0", 1) == 1;
}

[[noreturn]] void become(const std::vector<std::string>& command, int log, const Surroundings& surroundings) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const auto& entrance : surroundings.cgroup_entrances) {
    if (!enter(entrance)) ::_exit(127);
  }
  if (surroundings.syncs != nullptr && !surroundings.syncs->filter_self()) ::_exit(127);
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

ProcessUsage between(const ProcessUsage& before, const ProcessUsage& after) {
  ProcessUsage usage = after;
  usage.user_s -= before.user_s;
  usage.system_s -= before.system_s;
  usage.run_s -= before.run_s;
  usage.written_bytes -= before.written_bytes;
  usage.wake_ups -= before.wake_ups;
  usage.preemptions -= before.preemptions;
  usage.read_write_calls -= before.read_write_calls;
  return usage;
}

Result<Process> Process::start(const std::vector<std::string>& command, const std::filesystem::path& log,
                               const Surroundings& surroundings) {
  const int file = ::open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return fail(Errc::io_error, fmt::format("{}: {}", log.string(), std::strerror(errno)));
  const pid_t child = ::fork();
  if (child == 0) become(command, file, surroundings);
  const int error = errno;
  ::close(file);
  if (child < 0) return fail(Errc::io_error, std::strerror(error));
  Process process(child);
  if (surroundings.syncs != nullptr) {
    if (const auto counting = surroundings.syncs->begin(); counting.has_error()) return counting.error();
  }
  return process;
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

ProcessUsage usage_of(pid_t pid) {
  const std::filesystem::path proc = fmt::format("/proc/{}", pid);
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
  const std::string io = slurp(proc / "io");
  usage.written_bytes = number_after(io, "write_bytes");
  usage.read_write_calls = number_after(io, "syscr") + number_after(io, "syscw");
  std::error_code ended;
  for (const auto& thread : std::filesystem::directory_iterator(proc / "task", ended)) {
    const std::string status = slurp(thread.path() / "status");
    usage.wake_ups += number_after(status, "voluntary_ctxt_switches");
    usage.preemptions += number_after(status, "nonvoluntary_ctxt_switches");
    double run_ns = 0;  // the first field
    std::istringstream(slurp(thread.path() / "schedstat")) >> run_ns;
    usage.run_s += run_ns / 1e9;
    ++usage.threads;
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
