#include "bench/load.h"

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
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
#include <charconv>
#include <fmt/format.h>

namespace tideover::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using std::chrono::steady_clock;

// As Prometheus backs off.
constexpr auto kBackoffMin = std::chrono::milliseconds(30);
constexpr auto kBackoffMax = std::chrono::seconds(5);
// Prometheus Agent refuses what lies more than ten minutes ahead.
constexpr std::int64_t kAheadMaxMs = 9 * 60 * 1000;
// Timestamps begin a little ahead: Prometheus Agent's sender skips what is older than its own start, which
// may come some seconds after the agent says that it is ready.
constexpr std::int64_t kHeadStartMs = 10 * 1000;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

steady_clock::duration pause_of(const http::response<http::string_body>& answer,
                                steady_clock::duration backoff) {
  const std::string_view text(answer[http::field::retry_after].data(),
                              answer[http::field::retry_after].size());
  int seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return parsed.ec == std::errc{} ? std::chrono::seconds(seconds) : backoff;
}

class Load {
 public:
  Load(Stream& stream, const LoadOptions& options)
      : stream_(stream), options_(options), start_ms_(wall_ms() + kHeadStartMs) {}

  LoadResult run() {
    const auto start = steady_clock::now();
    start_ = start;
    end_ = start + options_.duration;
    for (std::size_t i = 0; i < stream_.by_connection.size(); ++i) {
      asio::co_spawn(io_, drive(i), [this](std::exception_ptr fault) { note(fault); });
    }
    io_.run();
    result_.seconds = std::chrono::duration<double>(steady_clock::now() - start).count();
    const double due = options_.samples_per_second * static_cast<double>(options_.duration.count());
    const double owed = due - static_cast<double>(result_.accepted_samples);
    if (owed > 0) result_.owed_samples = static_cast<std::uint64_t>(owed);
    std::sort(result_.latencies_s.begin(), result_.latencies_s.end());
    return std::move(result_);
  }

 private:
  struct Place {  // in the endless stream
    std::int64_t base_ms;
    std::uint32_t repetition;
  };
  struct Connection {
    explicit Connection(asio::io_context& io) : socket(io), timer(io) {}
    tcp::socket socket;
    asio::steady_timer timer;
    boost::beast::flat_buffer buffer;
  };

  void note(std::exception_ptr fault) {
    if (!fault) return;
    try {
      std::rethrow_exception(fault);
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }
  void fail(std::string sentence) {
    if (result_.failure.empty()) result_.failure = std::move(sentence);
  }
  bool over() const {
    return !result_.failure.empty() || steady_clock::now() >= end_ ||
           result_.accepted_samples >= options_.samples_max;
  }

  asio::awaitable<void> drive(std::size_t index) {
    Connection connection(io_);
    const tcp::endpoint peer(asio::ip::address_v4::loopback(), options_.port);
    co_await connection.socket.async_connect(peer, asio::use_awaitable);
    connection.socket.set_option(tcp::no_delay(true));
    std::uint64_t sent = 0;
    std::uint32_t repetition = 0;
    for (std::int64_t base_ms = start_ms_;; base_ms += stream_.ticks, ++repetition) {
      if (!options_.may_run_ahead && base_ms + stream_.ticks > wall_ms() + kAheadMaxMs)
        fail("the stream's timestamps ran too far ahead");
      for (PreparedRequest& request : stream_.by_connection[index]) {
        const auto due = due_time(sent, index);
        if (due > steady_clock::now()) {
          connection.timer.expires_at(due);
          co_await connection.timer.async_wait(asio::use_awaitable);
        }
        if (over()) co_return;
        sent += request.samples();
        const Place place{base_ms, repetition};
        co_await deliver(connection, request, place, due);
      }
    }
  }

  // Flat out, a request is due when the one before it is answered. At a rate, requests of different
  // connections are due one after the other, evenly apart.
  steady_clock::time_point due_time(std::uint64_t sent, std::size_t index) const {
    if (flat_out()) return steady_clock::now();
    const double connections = static_cast<double>(stream_.by_connection.size());
    const double samples_per_request =
        static_cast<double>(stream_.samples) / static_cast<double>(stream_.requests);
    const double samples_before =
        static_cast<double>(sent) * connections + static_cast<double>(index) * samples_per_request;
    return start_ + std::chrono::duration_cast<steady_clock::duration>(
                        std::chrono::duration<double>(samples_before / options_.samples_per_second));
  }
  bool flat_out() const { return options_.samples_per_second <= 0; }

  asio::awaitable<void> deliver(Connection& connection, PreparedRequest& request, Place place,
                                steady_clock::time_point due) {
    const std::string_view body = request.stamped(place.base_ms, place.repetition);
    const std::string head = head_of(body.size());
    steady_clock::duration backoff = kBackoffMin;
    while (!over()) {
      const std::array<asio::const_buffer, 2> message{asio::buffer(head), asio::buffer(body)};
      co_await asio::async_write(connection.socket, message, asio::use_awaitable);
      http::response<http::string_body> answer;
      co_await http::async_read(connection.socket, connection.buffer, answer, asio::use_awaitable);
      const int status = answer.result_int();
      if (status / 100 == 2) {
        accept(request, place, body.size(), steady_clock::now() - due);
        co_return;
      }
      if (status != 503) {
        fail(fmt::format("answer {}: {}", status, answer.body()));
        co_return;
      }
      ++result_.refused;
      connection.timer.expires_after(pause_of(answer, backoff));
      backoff = std::min<steady_clock::duration>(backoff * 2, kBackoffMax);
      co_await connection.timer.async_wait(asio::use_awaitable);
      // Flat out, latency is that of acknowledgements, not of the time refused.
      if (flat_out()) due = steady_clock::now();
    }
  }

  void accept(const PreparedRequest& request, Place place, std::size_t bytes,
              steady_clock::duration latency) {
    result_.accepted_samples += request.samples();
    if (options_.accepted_samples != nullptr) *options_.accepted_samples = result_.accepted_samples;
    result_.accepted_requests += 1;
    result_.accepted_bytes += bytes;
    result_.latencies_s.push_back(std::chrono::duration<float>(latency).count());
    if (options_.digest) result_.digest += request.digest(stream_.hashes, place.base_ms, place.repetition);
  }

  std::string head_of(std::size_t body_bytes) const {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: tideover-bench\r\nContent-Encoding: snappy\r\n"
        "Content-Type: {}\r\nX-Prometheus-Remote-Write-Version: {}\r\nContent-Length: {}\r\n\r\n",
        options_.target, options_.port, remote_write::content_type(stream_.version),
        remote_write::version_header(stream_.version), body_bytes);
  }

  Stream& stream_;
  const LoadOptions& options_;
  const std::int64_t start_ms_;
  asio::io_context io_{1};
  steady_clock::time_point start_;
  steady_clock::time_point end_;
  LoadResult result_;
};

}  // namespace

LoadResult run_load(Stream& stream, const LoadOptions& options) { return Load(stream, options).run(); }

}  // namespace tideover::bench
