#include <catch2/catch.hpp>

#include "tests/unit/forwarders/http/tls_fixture.h"
#include "wal/base/notifier.h"

namespace tideover::http {
namespace {

using namespace std::chrono_literals;

// A clock that tests may move ahead, so that nobody waits for the next look at a file.
class AheadClock final : public Clock {
 public:
  explicit AheadClock(Clock& base) : base_(base) {}
  Time now() const override { return base_.now() + ahead_; }
  WallTime wall_now() const override { return base_.wall_now(); }
  TimerId call_at(Time when, std::function<void()> callback) override {
    return base_.call_at(when - ahead_, std::move(callback));
  }
  void cancel(TimerId timer) override { base_.cancel(timer); }
  void skip(Duration by) { ahead_ += by; }

 private:
  Clock& base_;
  Duration ahead_{};
};

struct Files {
  test::Loop loop;
  AheadClock clock{loop.clock};
  TempDirectory directory;
  std::vector<std::string> warnings;
  Warn warn = [this](std::string_view sentence) { warnings.emplace_back(sentence); };
};

TEST_CASE("a token that was replaced is picked up, and an unusable one leaves the last in use") {
  Files f;
  const std::string path = f.directory / "token";
  test::replace_file(path, "first\n");
  Credentials credentials({path, {}, {}}, f.clock, f.warn);
  CHECK(credentials.authorization().value() == "Bearer first");

  test::replace_file(path, "second");
  CHECK(credentials.authorization().value() == "Bearer first");  // looked at once a second
  f.clock.skip(1s);
  CHECK(credentials.authorization().value() == "Bearer second");

  for (const std::string& bad : {std::string(), std::string("\n"), std::string("two\r\nX-Evil: 1")}) {
    test::replace_file(path, bad);
    f.clock.skip(1s);
    CHECK(credentials.authorization().value() == "Bearer second");
    f.clock.skip(1s);
    CHECK(credentials.authorization().value() == "Bearer second");
  }
  std::filesystem::remove(path);
  f.clock.skip(1s);
  CHECK(credentials.authorization().value() == "Bearer second");
  REQUIRE(f.warnings.size() == 3);  // empty, characters, gone: each told once
  for (const std::string& warning : f.warnings) {
    CHECK(warning.find(path) != std::string::npos);
    CHECK(warning.find("Evil") == std::string::npos);
  }

  test::replace_file(path, "third");
  f.clock.skip(1s);
  CHECK(credentials.authorization().value() == "Bearer third");
}

TEST_CASE("without a usable token there is an error that names the file, until there is one") {
  Files f;
  const std::string path = f.directory / "token";
  Credentials credentials({path, {}, {}}, f.clock, f.warn);
  const Result<std::string> missing = credentials.authorization();
  REQUIRE(missing.has_error());
  CHECK(missing.error().code == Errc::connect_failed);
  CHECK(missing.error().detail.find(path) != std::string::npos);
  test::replace_file(path, "late");
  f.clock.skip(1s);
  CHECK(credentials.authorization().value() == "Bearer late");
}

TEST_CASE("basic credentials are encoded from a name and a password file") {
  Files f;
  test::replace_file(f.directory / "password", "open sesame\n");
  Credentials credentials({{}, "Aladdin", f.directory / "password"}, f.clock, f.warn);
  CHECK(credentials.authorization().value() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617's example
}

TEST_CASE("a new token is sent with the next request") {
  test::TransportFixture f;
  TempDirectory directory;
  const std::string path = directory / "token";
  AheadClock clock(f.loop.clock);
  test::replace_file(path, "old");
  TransportOptions options = f.options();
  options.auth.bearer_file = path;
  auto made = BeastTransport::create(f.loop.io, clock, options);
  REQUIRE(made.has_value());
  f.transport = std::move(*made);
  std::vector<Request> seen;
  f.loop.spawn(test::answer(f.peer, 2, test::kNoContent, &seen));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> one = co_await f.post();
    CHECK(one.has_value());
    test::replace_file(path, "new");
    clock.skip(1s);
    const Result<Response> two = co_await f.post();
    CHECK(two.has_value());
  };
  f.loop.run(task());
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].headers.find("authorization") == "Bearer old");
  CHECK(seen[1].headers.find("authorization") == "Bearer new");
}

TEST_CASE("a new certificate ends the connections of the old one: the next request comes on a new one") {
  test::TlsFixture f;
  f.certificates.issue("client", "DNS:old");
  f.require_client_certificate();
  TransportOptions options = f.tls_options();
  options.tls.cert_file = f.certificates.pem("client");
  options.tls.key_file = f.certificates.key("client");
  AheadClock clock(f.loop.clock);
  auto made = BeastTransport::create(f.loop.io, clock, options);
  REQUIRE(made.has_value());
  f.transport = std::move(*made);
  std::vector<std::size_t> seen_by_connection;
  Notifier both_ended(f.loop.clock);
  auto serve = [&]() -> awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      co_await f.serve();
      seen_by_connection.push_back(f.seen.size());
    }
    both_ended.notify();
  };
  auto task = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      if (i == 2) f.certificates.issue("client", "DNS:new");
      clock.skip(1s);
      const Result<Response> response = co_await f.post();
      CHECK(response.has_value());
    }
    f.transport->close();
    co_await both_ended.wait();
  };
  f.loop.spawn(serve());
  f.loop.run(task());
  CHECK(seen_by_connection == std::vector<std::size_t>{2, 3});
}

TEST_CASE(
    "TLS files that do not fit together leave the last context in use, and one that never fits is named") {
  Files f;
  test::Certificates made;
  made.issue("one", "DNS:one");
  made.issue("two", "DNS:two");
  const std::string ca = f.directory / "ca.pem";
  const std::string cert = f.directory / "cert.pem";
  const std::string key = f.directory / "key.pem";
  test::replace_file(cert, test::read_file(made.pem("one")));
  test::replace_file(key, test::read_file(made.key("one")));
  TlsContext tls({ca, cert, key, {}}, f.clock, f.warn);
  const auto no_ca = tls.current();
  REQUIRE(no_ca.has_error());
  CHECK(no_ca.error().code == Errc::connect_failed);
  CHECK(no_ca.error().detail.find(ca) != std::string::npos);

  test::replace_file(ca, test::read_file(made.pem("ca")));
  f.clock.skip(1s);
  const auto first = tls.current();
  REQUIRE(first.has_value());
  CHECK(tls.generation() == 1);

  // A rotation seen half way: the certificate is new, the key is not yet.
  f.warnings.clear();
  test::replace_file(cert, test::read_file(made.pem("two")));
  f.clock.skip(1s);
  CHECK(tls.current().value() == *first);
  REQUIRE(f.warnings.size() == 1);
  CHECK(f.warnings[0].find(key) != std::string::npos);
  test::replace_file(key, test::read_file(made.key("two")));
  f.clock.skip(1s);
  CHECK(tls.current().value() != *first);
  CHECK(tls.generation() == 2);

  test::replace_file(ca, "no certificate at all");
  f.clock.skip(1s);
  CHECK(tls.current().has_value());
  CHECK(tls.generation() == 2);
  REQUIRE(f.warnings.size() == 2);
  CHECK(f.warnings[1].find(ca) != std::string::npos);
}

}  // namespace
}  // namespace tideover::http
