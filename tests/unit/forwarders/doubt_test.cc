// What an answer says beside its verdict: may the request have arrived, has the receiver too much to do, how
// long does it want to be left alone.
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "forwarders/answers.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

Result<http::Response> status(int code) { return http::Response{code, {}, {}}; }
Result<http::Response> failure(Errc code) { return fail(code, "words"); }

TEST_CASE("only an answer that proves the contrary leaves no doubt whether a request was stored") {
  for (const int code : {408, 500, 502, 503, 504, 599}) {
    CAPTURE(code);
    CHECK(leaves_in_doubt(status(code)));
  }
  for (const int code : {200, 204, 301, 400, 401, 404, 409, 413, 415, 422, 425, 429}) {
    CAPTURE(code);
    CHECK_FALSE(leaves_in_doubt(status(code)));
  }
  for (const Errc code :
       {Errc::timeout, Errc::connection_lost, Errc::too_large, Errc::bad_input, Errc::stopping})
    CHECK(leaves_in_doubt(failure(code)));
  CHECK_FALSE(leaves_in_doubt(failure(Errc::connect_failed)));
}

TEST_CASE("429, 503, 529 and silence are signs of too much to do, and nothing else is") {
  for (const int code : {429, 503, 529}) CHECK(tells_overload(status(code)));
  for (const int code : {200, 400, 408, 409, 413, 500, 502, 504}) {
    CAPTURE(code);
    CHECK_FALSE(tells_overload(status(code)));
  }
  CHECK(tells_overload(failure(Errc::timeout)));
  for (const Errc code : {Errc::connection_lost, Errc::connect_failed, Errc::bad_input})
    CHECK_FALSE(tells_overload(failure(code)));
}

TEST_CASE(
    "what a receiver asks for with Retry-After reaches the verdict of every answer that is tried again") {
  for (const int code : {408, 425, 429, 500, 503}) {
    CAPTURE(code);
    http::Response response{code, {}, {}};
    response.headers.add("Retry-After", "7");
    const auto verdict = common_verdict(response);
    REQUIRE(verdict);
    CHECK(verdict->action == Action::retry);
    CHECK(verdict->retry_after == std::optional<Duration>(7s));
  }
}

}  // namespace
}  // namespace tideover::forward
