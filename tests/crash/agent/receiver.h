// The receiver that the agent delivers to: up, away, or flaky by turns. Executor: the driver's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/samples.h"

namespace tideover::crash {

enum class Mood : std::uint8_t {
  up,
  away,   // nobody listens, and every connection is gone
  flaky,  // late, failing before and after it has stored, gone before it answers
};

// Faults of the test itself: each must be found, or the test proves nothing.
enum class Mischief : std::uint8_t { none, forgets, alters, reorders };

class Receiver {
 public:
  Receiver(boost::asio::io_context& io, Account& account, const Samples& samples, std::uint64_t seed,
           Mischief mischief);

  std::uint16_t port() const { return port_; }
  void become(Mood mood);
  std::uint64_t requests() const { return requests_; }

 private:
  using Socket = boost::asio::ip::tcp::socket;
  struct Plan {
    int delay_ms = 0;
    bool stores = true;
    int status = 204;  // 0: closes instead of answering
  };

  void listen();
  boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor);
  boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket);
  Plan plan();
  bool misbehaves();
  std::optional<Samples::Received> store(const std::string& body, remote_write::Version version);

  boost::asio::io_context& io_;
  Account& account_;
  const Samples& samples_;
  std::mt19937_64 random_;
  const Mischief mischief_;
  const std::uint16_t port_;
  Mood mood_ = Mood::away;
  int faults_in_a_row_ = 0;
  std::uint64_t requests_ = 0;
  std::optional<std::pair<std::string, remote_write::Version>> held_;  // by a receiver that reorders
  std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  std::set<std::shared_ptr<Socket>> sockets_;
};

}  // namespace tideover::crash
