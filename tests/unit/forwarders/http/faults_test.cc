// Every scripted exchange again and again, failing at each of its steps in turn: the error must say whether
// the peer can have acted.
#include <catch2/catch.hpp>

#include "tests/unit/forwarders/http/fixture.h"

namespace tideover::http {
namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using test::TransportFixture;

enum class Fault { close, reset, silence };

struct Exchange {
  const char* name;
  std::vector<std::string>
      answer;  // sent piece by piece, once the request was read; a fault comes before one
};

const Exchange kExchanges[] = {
    {"no content", {"HTTP/1.1 204", " No Content\r\n", "Server: peer\r\n", "\r\n"}},
    {"counted body", {"HTTP/1.1 400 Bad Request\r\n", "Content-Length: 8\r\n\r\n", "out ", "of time"}},
    {"chunked body",
     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "\r\n", "4\r\nok", "ok\r\n", "0\r\n", "\r\n"}},
    {"interim answer", {"HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 204 No Content\r\n", "\r\n"}},
};

// Step 0 is before the request is read, step 1 before the first piece of the answer, and so on.
struct Script {
  TransportFixture& f;
  const Exchange& exchange;
  Fault fault;
  std::size_t fail_at;
  bool pooled;  // on a connection that has served a request before

  awaitable<void> fail(RawConnection& connection) {
    switch (fault) {
      case Fault::close: connection.close(); break;
      case Fault::reset: connection.reset(); break;
      case Fault::silence: co_await connection.read_to_end(); break;
    }
  }

  awaitable<void> serve() {
    auto connection = co_await f.peer.accept();
    if (pooled) {
      co_await connection->read_request();
      co_await connection->send(test::kNoContent);
      co_await connection->read_request();  // the fault must not come while idle
    } else if (fail_at > 0) {
      co_await connection->read_request();
    }
    for (std::size_t step = 1; step < fail_at; ++step) co_await connection->send(exchange.answer[step - 1]);
    co_await fail(*connection);
  }

  awaitable<void> run() {
    if (pooled) {
      const Result<Response> first = co_await f.post();
      REQUIRE(first.has_value());
    }
    const Duration within = fault == Fault::silence ? 20ms : 10s;
    const Result<Response> response = co_await f.post("payload", within);
    REQUIRE(response.has_error());
    CHECK(response.error().code == (fault == Fault::silence ? Errc::timeout : Errc::connection_lost));
  }
};

TEST_CASE("an exchange that breaks at any step leaves it open whether the peer acted") {
  for (const Exchange& exchange : kExchanges)
    for (const Fault fault : {Fault::close, Fault::reset, Fault::silence})
      for (const bool pooled : {false, true})
        for (std::size_t step = pooled ? 1 : 0; step <= exchange.answer.size(); ++step) {
          CAPTURE(exchange.name, fault, pooled, step);
          TransportFixture f;
          Script script{f, exchange, fault, step, pooled};
          f.loop.spawn(script.serve());
          f.loop.run(script.run());
        }
}

}  // namespace
}  // namespace tideover::http
