// A server on loopback with a few routes, and what they saw.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/server/http_server.h"
#include "tests/support/raw_connection.h"
#include "wal/base/notifier.h"

namespace tideover::test {

struct ServerFixture {
  Loop loop;
  server::ServerLimits limits;
  std::vector<std::string> warnings;
  std::string seen_body;
  int handled = 0;
  Notifier entered{loop.clock};  // a request to /held is in its handler
  Notifier release{loop.clock};  // lets it answer
  std::unique_ptr<server::HttpServer> server;

  // Two verbs instead of a default argument: see HACKING.md about aggregates in a co_await expression.
  std::string start(const std::string& address = "127.0.0.1:0") { return start_with(address, {}); }
  std::string start_with(const std::string& address, server::Sockets inherited) {
    server = std::make_unique<server::HttpServer>(loop.io, loop.clock, limits, routes());
    server->on_warning([this](std::string_view sentence) { warnings.emplace_back(sentence); });
    const Result<> listening = server->listen(address, std::move(inherited));
    REQUIRE(listening.has_value());
    return server->address();
  }

  // The task, and then the end of the server: a test leaves no session behind.
  void run(awaitable<void> task) {
    auto both = [this](awaitable<void> first) -> awaitable<void> {
      co_await std::move(first);
      if (server) co_await server->stop(loop.clock.now());
    };
    loop.run(both(std::move(task)));
  }

 private:
  static awaitable<http::Response> done(http::Response response) { co_return response; }

  awaitable<http::Response> hold() {
    entered.notify();
    co_await release.wait();
    co_return http::Response{200, {}, "held"};
  }

  std::vector<server::Route> routes() {
    auto echo = [this](http::Request request) {
      ++handled;
      return done({200, {}, std::move(request.body)});
    };
    auto keep = [this](http::Request request) {
      ++handled;
      seen_body = std::move(request.body);
      return done({204, {}, {}});
    };
    auto fixed = [](http::Request) { return done({200, {{"Content-Type", "text/plain"}}, "fixed"}); };
    auto throws = [](http::Request) -> awaitable<http::Response> {
      throw std::runtime_error("out of ideas");
      co_return http::Response{};
    };
    auto held = [this](http::Request) { return hold(); };
    auto only_protobuf = [](const http::Request& head) -> std::optional<http::Response> {
      if (head.headers.find("content-type") == "application/x-protobuf") return std::nullopt;
      return http::Response{415, {}, "only protobuf\n"};
    };
    return {{"POST", "/echo", 0, {}, echo},  {"POST", "/headroom", 32, {}, keep},
            {"GET", "/fixed", 0, {}, fixed}, {"POST", "/throws", 0, {}, throws},
            {"POST", "/held", 0, {}, held},  {"POST", "/typed", 0, only_protobuf, keep}};
  }
};

// An honest client's request, and its answer.
inline awaitable<void> check_echo(RawConnection& client, std::string words) {
  co_await client.send(post("/echo", words));
  const http::Response response = co_await client.read_response();
  CHECK(response.body == words);
}

}  // namespace tideover::test
