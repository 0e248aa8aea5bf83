// A transport and the peer it sends to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "forwarders/http/beast_transport.h"
#include "tests/support/raw_connection.h"

namespace tideover::test {

using namespace std::chrono_literals;

struct TransportFixture {
  Loop loop;
  RawPeer peer{loop};
  std::vector<std::string> warnings;
  std::unique_ptr<http::BeastTransport> transport;

  http::TransportOptions options() {
    http::TransportOptions options;
    options.url = peer.url();
    options.warn = [this](std::string_view sentence) { warnings.emplace_back(sentence); };
    return options;
  }

  void open(http::TransportOptions options) {
    auto made = http::BeastTransport::create(loop.io, loop.clock, std::move(options));
    REQUIRE(made.has_value());
    transport = std::move(*made);
  }
  void open() { open(options()); }

  awaitable<Result<http::Response>> post(std::string body = "payload", Duration within = 10s) {
    if (!transport) open();
    http::Request request{"POST", "/in", {}, std::move(body)};
    return transport->send(std::move(request), loop.clock.now() + within);
  }
};

inline const std::string kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

// Answers `requests` of one connection with the same bytes, and notes what came.
inline awaitable<void> answer(RawPeer& peer, int requests, std::string bytes,
                              std::vector<http::Request>* seen = nullptr) {
  std::unique_ptr<RawConnection> connection = co_await peer.accept();
  for (int i = 0; i < requests; ++i) {
    http::Request request = co_await connection->read_request();
    if (seen != nullptr) seen->push_back(std::move(request));
    co_await connection->send(bytes);
  }
  co_await connection->read_to_end();
}

}  // namespace tideover::test
