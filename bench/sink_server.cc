#include "bench/sink_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "bench/tally.h"

namespace tideover::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using remote_write::Version;

constexpr std::size_t kBodyBytesMax = 64 << 20;
constexpr auto kWatchInterval = std::chrono::milliseconds(5);
constexpr std::size_t kUncountedBytesMax = std::size_t{2} << 30;

// Counts bodies in their order of arrival, on a thread that runs when nobody else wants the CPU.
class Counter {
 public:
  Counter(SinkState& state, bool verify) : state_(state), tally_(verify) {
    std::thread([this] { run(); }).detach();  // ends with the process
  }

  void add(std::string body, Version version) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return bytes_ < kUncountedBytesMax; });
    bytes_ += body.size();
    bodies_.emplace_back(std::move(body), version);
    lock.unlock();
    some_.notify_one();
  }

 private:
  void run() {
    ::setpriority(PRIO_PROCESS, 0, 19);  // of this thread alone, on Linux
    for (;;) {
      std::unique_lock lock(mutex_);
      some_.wait(lock, [&] { return !bodies_.empty(); });
      const auto [body, version] = std::move(bodies_.front());
      bodies_.pop_front();
      bytes_ -= body.size();
      lock.unlock();
      room_.notify_one();
      if (!tally_.add(body, version)) ++state_.undecodable;
      state_.order_faults = tally_.order_faults();
      state_.digest = tally_.digest();
      state_.samples = tally_.samples();  // last: who sees the number sees the rest
    }
  }

  SinkState& state_;
  Tally tally_;
  std::mutex mutex_;
  std::condition_variable some_, room_;
  std::deque<std::pair<std::string, Version>> bodies_;
  std::size_t bytes_ = 0;
};

class Server {
 public:
  Server(SinkState& state, bool verify) : state_(state), counter_(state, verify) {}

  void run() {
    listen(0);
    state_.port = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, watch(), asio::detached);
    io_.run();
  }

 private:
  void listen(unsigned short port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    asio::co_spawn(io_, accept(), [](std::exception_ptr) {});  // closed to refuse
  }

  asio::awaitable<void> watch() {
    asio::steady_timer timer(io_);
    for (;;) {
      timer.expires_after(kWatchInterval);
      co_await timer.async_wait(asio::use_awaitable);
      if (state_.refuses && acceptor_.is_open()) acceptor_.close();
      if (!state_.refuses && !acceptor_.is_open()) listen(static_cast<unsigned short>(state_.port));
    }
  }

  asio::awaitable<void> accept() {
    for (;;) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      socket.set_option(tcp::no_delay(true));
      asio::co_spawn(io_, session(std::move(socket)), [](std::exception_ptr) {});  // the peer went away
    }
  }

  asio::awaitable<void> session(tcp::socket socket) {
    boost::beast::flat_buffer buffer;
    asio::steady_timer timer(io_);
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kBodyBytesMax);
      co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
      if (state_.refuses) co_return;
      if (state_.delay_ms > 0) {
        timer.expires_after(std::chrono::milliseconds(state_.delay_ms));
        co_await timer.async_wait(asio::use_awaitable);
      }
      const std::string answer = answer_to(parser.release());
      co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    }
  }

  std::string answer_to(http::request<http::string_body> request) {
    const int status = state_.status;
    if (status / 100 != 2) return fmt::format("HTTP/1.1 {} Off\r\nContent-Length: 0\r\n\r\n", status);
    ++state_.requests;
    state_.last_answer_ns = std::chrono::steady_clock::now().time_since_epoch().count();
    state_.bytes += request.body().size();
    const auto type = request[http::field::content_type];
    if (type.find("v2.Request") == type.npos) {
      counter_.add(std::move(request.body()), Version::v1);
      return "HTTP/1.1 204 No Content\r\n\r\n";
    }
    // The answer to 2.0 must say how much was written, so this one is counted twice, once at once.
    Tally tally(false);
    tally.add(request.body(), Version::v2);
    counter_.add(std::move(request.body()), Version::v2);
    return fmt::format(
        "HTTP/1.1 204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: {}\r\n"
        "X-Prometheus-Remote-Write-Histograms-Written: 0\r\nX-Prometheus-Remote-Write-Exemplars-Written: "
        "0\r\n\r\n",
        tally.samples());
  }

  SinkState& state_;
  Counter counter_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
};

}  // namespace

void serve_sink(SinkState& state, bool verify) {
  Server(state, verify).run();
  ::_exit(1);  // it listens for ever, until it is killed
}

}  // namespace tideover::bench
