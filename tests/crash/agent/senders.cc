#include "tests/crash/agent/senders.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

namespace tideover::crash {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using remote_write::Version;
using namespace std::chrono_literals;

constexpr auto kReconnect = 3ms;
constexpr auto kRefused = 50ms;
constexpr auto kRest = 20ms;

class Connection {
 public:
  explicit Connection(asio::io_context& io) : io_(io), socket_(io) {}

  asio::awaitable<bool> open(std::uint16_t port) {
    if (socket_.is_open()) co_return true;
    socket_ = tcp::socket(io_);
    buffer_.clear();
    boost::system::error_code error;
    const tcp::endpoint peer(asio::ip::address_v4::loopback(), port);
    co_await socket_.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
    if (error) close();
    if (!error) socket_.set_option(tcp::no_delay(true));
    co_return !error;
  }

  // The status; 0: no answer came.
  asio::awaitable<int> exchange(const std::string& head, const std::string& body) {
    boost::system::error_code error;
    const std::array<asio::const_buffer, 2> message{asio::buffer(head), asio::buffer(body)};
    co_await asio::async_write(socket_, message, asio::redirect_error(asio::use_awaitable, error));
    http::response<http::string_body> answer;
    if (!error)
      co_await http::async_read(socket_, buffer_, answer, asio::redirect_error(asio::use_awaitable, error));
    if (error || !answer.keep_alive()) close();
    co_return error ? 0 : static_cast<int>(answer.result_int());
  }

 private:
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  asio::io_context& io_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
};

std::string head_of(Version version, std::size_t body_bytes) {
  return fmt::format(
      "POST /api/v1/write HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: crash\r\nContent-Encoding: snappy\r\n"
      "Content-Type: {}\r\nX-Prometheus-Remote-Write-Version: {}\r\nContent-Length: {}\r\n\r\n",
      remote_write::content_type(version), remote_write::version_header(version), body_bytes);
}

}  // namespace

Senders::Senders(asio::io_context& io, Account& account, const Samples& samples, const SenderOptions& options,
                 std::uint64_t seed)
    : io_(io), account_(account), samples_(samples), options_(options), random_(seed) {}

void Senders::start() {
  for (std::uint32_t i = 0; i < options_.connections; ++i) {
    ++running_;
    asio::co_spawn(io_, drive(i), [this](std::exception_ptr fault) {
      --running_;
      if (fault) std::rethrow_exception(fault);
    });
  }
}

// Mostly small, some so large that a few of them together make a group of several log records.
std::uint32_t Senders::how_many() {
  const auto roll = random_() % 100;
  const std::uint64_t most = roll < 65 ? 30 : roll < 92 ? 150 : kSeriesMax;
  return 1 + static_cast<std::uint32_t>(random_() % most);
}

asio::awaitable<void> Senders::drive(std::uint32_t index) {
  Connection connection(io_);
  asio::steady_timer timer(io_);
  for (std::uint32_t number = 1; !stopping_; ++number) {
    while (account_.outstanding() > options_.outstanding_max && !stopping_) {
      timer.expires_after(kRest);
      co_await timer.async_wait(asio::use_awaitable);
    }
    const RequestId id{index, number};
    const std::uint32_t series = how_many();
    const Version version = random_() % 2 == 0 ? Version::v1 : Version::v2;
    const std::string body = samples_.request(id, series, version);
    const std::string head = head_of(version, body.size());
    bool offered = false;
    for (bool done = false; !done && !(stopping_ && !offered);) {
      const bool open = co_await connection.open(options_.port);
      if (!open) {
        if (stopping_) break;
        timer.expires_after(kReconnect);
        co_await timer.async_wait(asio::use_awaitable);
        continue;
      }
      account_.offered(id, series);
      offered = true;
      const int status = co_await connection.exchange(head, body);
      if (status / 100 == 2) {
        account_.acknowledged(id);
        ++acknowledged_requests_;
        if (index == 0) account_.beat();
        done = true;
      } else if (status == 503) {
        ++refused_requests_;
        timer.expires_after(kRefused);
        co_await timer.async_wait(asio::use_awaitable);
        done = stopping_;
      } else if (status == 0) {
        done = stopping_ || random_() % 2 == 0;
      } else {
        failure_ = fmt::format("the agent answered {}", status);
        co_return;
      }
    }
    if (!offered) co_return;
    if (random_() % 2 == 0) continue;
    timer.expires_after(std::chrono::milliseconds(random_() % static_cast<unsigned>(options_.pause_ms_max)));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace tideover::crash
