#include "tests/crash/agent/receiver.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "tests/crash/agent/ports.h"

namespace tideover::crash {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using remote_write::Version;

constexpr std::size_t kBodyBytesMax = 64 << 20;
// More, and the sender would suspect the batch and set it aside: another promise than the one tested here.
constexpr int kFaultsInARow = 3;
constexpr std::uint64_t kMischiefAt = 5;  // the request that the test's own fault hits

std::string answer(int status, std::size_t samples) {
  if (status / 100 != 2) return fmt::format("HTTP/1.1 {} Flaky\r\nContent-Length: 0\r\n\r\n", status);
  return fmt::format(
      "HTTP/1.1 204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: {}\r\n"
      "X-Prometheus-Remote-Write-Histograms-Written: 0\r\nX-Prometheus-Remote-Write-Exemplars-Written: "
      "0\r\n\r\n",
      samples);
}

}  // namespace

Receiver::Receiver(asio::io_context& io, Account& account, const Samples& samples, std::uint64_t seed,
                   Mischief mischief)
    : io_(io),
      account_(account),
      samples_(samples),
      random_(seed),
      mischief_(mischief),
      port_(free_low_port()) {
  listen();
  become(Mood::up);
}

void Receiver::listen() {
  acceptor_ = std::make_shared<tcp::acceptor>(io_);
  const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port_);
  acceptor_->open(endpoint.protocol());
  acceptor_->set_option(tcp::acceptor::reuse_address(true));
  acceptor_->bind(endpoint);
  acceptor_->listen();
  asio::co_spawn(io_, accept(acceptor_), [](std::exception_ptr) {});  // closed
}

void Receiver::become(Mood mood) {
  mood_ = mood;
  boost::system::error_code ignored;
  if (mood == Mood::away) {
    if (acceptor_ != nullptr) acceptor_->close(ignored);
    acceptor_.reset();
    for (const auto& socket : sockets_) socket->close(ignored);
  } else if (acceptor_ == nullptr) {
    listen();
  }
}

void Receiver::hang_up() {
  const Mood mood = mood_;
  become(Mood::away);
  become(mood);
}

asio::awaitable<void> Receiver::accept(std::shared_ptr<tcp::acceptor> acceptor) {
  for (;;) {
    auto socket = std::make_shared<Socket>(co_await acceptor->async_accept(asio::use_awaitable));
    socket->set_option(tcp::no_delay(true));
    sockets_.insert(socket);
    asio::co_spawn(io_, serve(socket), [this, socket](std::exception_ptr) { sockets_.erase(socket); });
  }
}

Receiver::Plan Receiver::plan() {
  Plan plan;
  if (mood_ != Mood::flaky || faults_in_a_row_ >= kFaultsInARow) {
    faults_in_a_row_ = 0;
    return plan;
  }
  const auto roll = random_() % 100;
  if (roll < 20) plan.delay_ms = static_cast<int>(random_() % 60);
  if (roll >= 55 && roll < 65) plan = {0, false, 500};
  if (roll >= 65 && roll < 75) plan = {0, false, 503};
  if (roll >= 75 && roll < 85) plan = {static_cast<int>(random_() % 20), true, 0};
  if (roll >= 85 && roll < 92) plan = {0, false, 0};
  if (roll >= 92) plan = {0, true, 500};
  faults_in_a_row_ = plan.status == 204 ? 0 : faults_in_a_row_ + 1;
  return plan;
}

bool Receiver::misbehaves() { return mischief_ != Mischief::none && requests_ % kMischiefAt == 0; }

// What came is noted in the account, unless the receiver is a bad one.
std::optional<Samples::Received> Receiver::store(const std::string& body, Version version) {
  Account nowhere(0);
  const bool bad = misbehaves();
  const bool withheld = bad && mischief_ != Mischief::alters;
  auto got = samples_.receive(body, version, withheld ? nowhere : account_);
  if (!got) account_.received_foreign("a request that does not decode");
  if (got && bad && mischief_ == Mischief::alters && !got->from.empty())
    account_.received(got->from.begin()->first, 0, false);
  if (bad && mischief_ == Mischief::reorders) {
    held_.emplace(body, version);
  } else if (const auto late = std::exchange(held_, std::nullopt)) {
    samples_.receive(late->first, late->second, account_);
  }
  return got;
}

asio::awaitable<void> Receiver::serve(std::shared_ptr<Socket> socket) {
  boost::beast::flat_buffer buffer;
  asio::steady_timer timer(io_);
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    co_await http::async_read(*socket, buffer, parser, asio::use_awaitable);
    const http::request<http::string_body> request = parser.release();
    const Plan todo = plan();
    if (todo.delay_ms > 0) {
      timer.expires_after(std::chrono::milliseconds(todo.delay_ms));
      co_await timer.async_wait(asio::use_awaitable);
    }
    const auto type = request[http::field::content_type];
    const Version version = type.find("v2.Request") == type.npos ? Version::v1 : Version::v2;
    ++requests_;
    std::optional<Samples::Received> got{std::in_place};
    if (todo.stores) got = store(request.body(), version);
    if (todo.status == 0) {
      boost::system::error_code ignored;
      socket->close(ignored);
      co_return;
    }
    const std::string text = answer(todo.status, got ? got->samples : 0);
    co_await asio::async_write(*socket, asio::buffer(text), asio::use_awaitable);
    if (todo.status == 204 && got)
      for (const auto& [id, series] : got->from) account_.answered(id, series);
  }
}

}  // namespace tideover::crash
