// The agent as a process of its own, with a directory, an admin address and an intake, and an operator's way
// to talk to it.
#pragma once

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "agent/cli/admin_client.h"
#include "tests/support/temp_directory.h"

namespace tideover {

using namespace std::chrono_literals;

inline std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(probe);
  return ntohs(address.sin_port);
}

// True as soon as `condition` is, false when it is not within ten seconds.
template <class Condition>
bool soon(Condition condition) {
  for (int turns = 0; turns < 2'000; ++turns) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

struct AgentProcess {
  TempDirectory folder;
  std::string binary = TIDEOVER_BINARY;
  const std::string config_path = folder / "tideover.yaml";
  std::string data_dir = folder / "data";
  std::string max_bytes = "4MiB";
  std::string keep_free = "0%";
  std::vector<std::pair<std::string, std::string>> environment = {};
  const std::string log_path = folder / "log";
  std::uint16_t admin_port = free_port();
  std::uint16_t intake_port = free_port();
  pid_t pid = -1;
  int status = -1;

  AgentProcess() { configure(); }
  ~AgentProcess() {
    if (pid < 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  // Nobody listens on the destination's port.
  void configure(const std::string& destinations = "{name: thanos, url: 'http://127.0.0.1:1/'}",
                 const std::string& metrics = {}) const {
    std::ofstream(config_path + ".new") << fmt::format(
        "cluster: app1\nnode: node-7\ndata_dir: {}\ndisk: {{keep_free: {}}}\nlog: {{format: json, level: "
        "info}}\n"
        "admin: {{listen: '127.0.0.1:{}'}}\n"
        "metrics: {{listen: '127.0.0.1:{}', max_bytes: {}, {} destinations: [{}]}}\n",
        data_dir, keep_free, admin_port, intake_port, max_bytes, metrics, destinations);
    std::filesystem::rename(config_path + ".new", config_path);  // never half of it
  }

  void start() {
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(log, STDERR_FILENO);
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::execl(binary.c_str(), "tideover", "run", "--config", config_path.c_str(),
              static_cast<char*>(nullptr));
      ::_exit(127);
    }
  }
  void start_and_wait() {
    start();
    const bool ready = soon([this] { return ask("GET", "/-/ready").status == 200; });
    INFO(log());
    REQUIRE(ready);
  }
  // The exit status, once it has ended.
  int ended() {
    REQUIRE(soon([this] {
      int how = 0;
      if (::waitpid(pid, &how, WNOHANG) != pid) return false;
      status = WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
      pid = -1;
      return true;
    }));
    return status;
  }
  int stop(int signal = SIGTERM) {
    ::kill(pid, signal);
    return ended();
  }

  // Over the operators' socket; status 0 when nobody answers.
  cli::AdminAnswer ask(const std::string& method, const std::string& path) const {
    return answer_of({.socket_path = data_dir + "/admin.sock", .host = {}, .port = 0}, method, path);
  }
  cli::AdminAnswer ask_tcp(const std::string& method, const std::string& path) const {
    return answer_of({.socket_path = {}, .host = "127.0.0.1", .port = admin_port}, method, path);
  }
  static cli::AdminAnswer answer_of(const cli::AdminTarget& target, const std::string& method,
                                    const std::string& path) {
    const auto answer = cli::ask_admin(target, method, path, 5s);
    return answer ? *answer : cli::AdminAnswer{};
  }
  // The status of the answer; 0 when there is none.
  int write(const std::string& body) const {
    const Client client(intake_port);
    return client.write(body);
  }

  // A sender that keeps its connection.
  class Client {
   public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      to.sin_port = htons(port);
      connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    int write(const std::string& body) const {
      const std::string request = fmt::format(
          "POST /api/v1/write HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
          "Content-Encoding: snappy\r\nContent-Length: {}\r\n\r\n{}",
          body.size(), body);
      std::string answer(4096, '\0');
      const bool sent = connected_ && ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) ==
                                          static_cast<ssize_t>(request.size());
      const ssize_t got = sent ? ::recv(socket_, answer.data(), answer.size(), 0) : 0;
      return got > 12 ? std::stoi(answer.substr(9, 3)) : 0;
    }

   private:
    int socket_;
    bool connected_ = false;
  };

  std::string log() const {
    std::ifstream file(log_path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::size_t logged(std::string_view words) const {
    const std::string text = log();
    std::size_t n = 0;
    for (std::size_t at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++n;
    return n;
  }
};

}  // namespace tideover
