#include "forwarders/answers.h"

#include <catch2/catch.hpp>

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

Result<http::Response> status(int code) { return http::Response{code, {}, "text\n"}; }

TEST_CASE("answers that do not depend on the data mean the same for every receiver") {
  for (const int code : {408, 425, 429, 500, 502, 503, 504, 529}) {
    INFO(code);
    CHECK(common_verdict(status(code))->action == Action::retry);
  }
  for (const int code : {301, 302, 307, 308, 401, 402, 403, 404, 405, 407, 410, 411, 431, 451}) {
    INFO(code);
    CHECK(common_verdict(status(code))->action == Action::pause);
  }
  CHECK(common_verdict(status(413))->action == Action::halve);
  for (const int code : {200, 202, 204, 299, 400, 409, 415, 422}) {
    INFO(code);
    CHECK_FALSE(common_verdict(status(code)).has_value());
  }
  for (const Errc code :
       {Errc::timeout, Errc::connect_failed, Errc::connection_lost, Errc::too_large, Errc::bad_input})
    CHECK(common_verdict(fail(code, "why"))->action == Action::retry);
}

TEST_CASE("only an attempt that never reached the receiver leaves no doubt") {
  CHECK_FALSE(leaves_in_doubt(fail(Errc::connect_failed, "refused")));
  CHECK(leaves_in_doubt(fail(Errc::timeout, "30s")));
  CHECK(leaves_in_doubt(fail(Errc::connection_lost, "reset")));
  CHECK(leaves_in_doubt(status(503)));
  CHECK_FALSE(leaves_in_doubt(status(429)));
  CHECK_FALSE(leaves_in_doubt(status(400)));
}

TEST_CASE("Retry-After is read in seconds and as a date beside the answer's own date") {
  const auto of = [](std::string after, std::string date) {
    return retry_after(http::Headers{{"Retry-After", std::move(after)}, {"Date", std::move(date)}});
  };
  CHECK(of("120", "") == 120s);
  CHECK(of("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT") == 30s);
  CHECK_FALSE(of("Sun, 06 Nov 1994 08:49:37 GMT", "").has_value());
  CHECK(of("Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:07 GMT") > 24h);
  CHECK_FALSE(of("soon", "").has_value());
  CHECK_FALSE(of("-5", "").has_value());
  CHECK_FALSE(retry_after({}).has_value());
}

TEST_CASE("a sentence is bounded and holds no control bytes") {
  CHECK(sentence_of(status(409)) == "HTTP 409: text");
  CHECK(sentence_of(fail(Errc::timeout, "no answer in 30s")) == "timeout: no answer in 30s");
  const std::string sentence =
      sentence_of(http::Response{400, {}, std::string("a\nb\x1b[31m") + std::string(5'000, 'x')});
  CHECK(sentence.size() <= kSentenceBytes + 3);
  CHECK(sentence.starts_with("HTTP 400: a\\x0ab\\x1b[31mxxx"));
}

TEST_CASE("a sentence is valid UTF-8, whatever the receiver says and wherever it is cut") {
  CHECK(sentence_of(http::Response{400, {}, "gr\xc3\xbc\xc3 \xff"}) == "HTTP 400: gr\xc3\xbc\\xc3 \\xff");
  std::string umlauts;
  while (umlauts.size() < 2 * kSentenceBytes) umlauts += "\xc3\xa4";
  for (const std::string front : {"", "x"})
    CHECK(sentence_of(http::Response{400, {}, front + umlauts}).find('\\') == std::string::npos);
}

}  // namespace
}  // namespace tideover::forward
