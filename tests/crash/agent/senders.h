// The clients: each connection sends its own series, one request in flight, as a shard of a Prometheus does,
// Remote Write 1.0 and 2.0 by turns. A request without an answer is sent again or given up, by chance.
// Executor: the driver's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <vector>

#include "tests/crash/agent/account.h"
#include "tests/crash/agent/samples.h"

namespace tideover::crash {

struct SenderOptions {
  std::uint16_t port = 0;
  std::uint32_t connections = 8;
  int pause_ms_max = 30;                    // after every other request
  std::uint64_t outstanding_max = 120'000;  // samples: then they rest, or the end takes too long
};

class Senders {
 public:
  Senders(boost::asio::io_context& io, Account& account, const Samples& samples, const SenderOptions& options,
          std::uint64_t seed);

  void start();
  void stop() { stopping_ = true; }  // what is under way ends by itself
  bool stopped() const { return running_ == 0; }
  std::uint64_t acknowledged_requests() const { return acknowledged_requests_; }
  std::uint64_t refused_requests() const { return refused_requests_; }  // 503
  const std::string& failure() const { return failure_; }               // an answer that must not be

 private:
  boost::asio::awaitable<void> drive(std::uint32_t connection);
  std::uint32_t how_many();

  boost::asio::io_context& io_;
  Account& account_;
  const Samples& samples_;
  const SenderOptions options_;
  std::mt19937_64 random_;
  bool stopping_ = false;
  std::uint32_t running_ = 0;
  std::uint64_t acknowledged_requests_ = 0;
  std::uint64_t refused_requests_ = 0;
  std::string failure_;
};

}  // namespace tideover::crash
