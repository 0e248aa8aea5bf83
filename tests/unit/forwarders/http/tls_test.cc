#include <catch2/catch.hpp>
#include <openssl/ssl.h>

#include "tests/unit/forwarders/http/tls_fixture.h"

namespace tideover::http {
namespace {

using namespace std::chrono_literals;
namespace ssl = boost::asio::ssl;
using test::TlsFixture;

TEST_CASE("a peer whose certificate is good is spoken to over TLS, and the connection is kept") {
  TlsFixture f;
  f.open(f.tls_options());
  const Result<Response> response = f.post_twice();
  REQUIRE(response.has_value());
  CHECK(response->status == 204);
  REQUIRE(f.seen.size() == 2);
  CHECK(f.seen[1].body == "two");
}

TEST_CASE("a peer is verified by the name of its URL, or the one configured in its place") {
  TlsFixture f("DNS:thanos.mgmt");
  TransportOptions options = f.tls_options();
  options.tls.server_name = "thanos.mgmt";
  f.open(std::move(options));
  CHECK(f.post_twice().has_value());
}

TEST_CASE("a peer is asked for by its name, and never by an address") {
  const std::string host = GENERATE("localhost", "127.0.0.1");
  TlsFixture f;
  std::string asked_for;
  SSL_CTX_set_tlsext_servername_arg(f.context.native_handle(), &asked_for);
  SSL_CTX_set_tlsext_servername_callback(
      f.context.native_handle(), +[](SSL* ssl, int*, void* asked) {
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        *static_cast<std::string*>(asked) = name == nullptr ? "" : name;
        return SSL_TLSEXT_ERR_OK;
      });
  f.open(f.tls_options(host));
  CHECK(f.post_twice().has_value());
  CHECK(asked_for == (host == "localhost" ? host : ""));
}

TEST_CASE("a peer of another name gets nothing, and the error says that it was TLS which failed") {
  TlsFixture f("DNS:elsewhere.test");
  f.open(f.tls_options());
  const Result<Response> response = f.post_twice();
  REQUIRE(response.has_error());
  CHECK(response.error().code == Errc::connect_failed);
  CHECK(response.error().detail.find(": 127.0.0.1: TLS: ") != std::string::npos);
  CHECK(f.seen.empty());
}

TEST_CASE("a peer of an unknown authority gets nothing") {
  TlsFixture f;
  f.certificates.make_authority("other");
  TransportOptions options = f.tls_options();
  options.tls.ca_file = f.certificates.pem("other");
  f.open(std::move(options));
  const Result<Response> response = f.post_twice();
  REQUIRE(response.has_error());
  CHECK(response.error().code == Errc::connect_failed);
  CHECK(f.seen.empty());
}

TEST_CASE("a peer that only speaks TLS 1.1 gets nothing") {
  TlsFixture f;
  SSL_CTX_set_security_level(f.context.native_handle(), 0);
  SSL_CTX_set_min_proto_version(f.context.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(f.context.native_handle(), TLS1_1_VERSION);
  f.open(f.tls_options());
  const Result<Response> response = f.post_twice();
  REQUIRE(response.has_error());
  CHECK(response.error().code == Errc::connect_failed);
}

TEST_CASE("a peer that asks for a client certificate gets ours") {
  TlsFixture f;
  f.certificates.issue("client", "DNS:client");
  f.require_client_certificate();
  TransportOptions options = f.tls_options();
  options.tls.cert_file = f.certificates.pem("client");
  options.tls.key_file = f.certificates.key("client");
  f.open(std::move(options));
  CHECK(f.post_twice().has_value());
}

TEST_CASE("a peer that refuses our certificate, or its absence, has not acted on a request") {
  TlsFixture f;
  f.require_client_certificate();
  SECTION("TLS 1.3, where it says so after our side is done") {}
  SECTION("TLS 1.2, where it says so in the handshake") {
    SSL_CTX_set_max_proto_version(f.context.native_handle(), TLS1_2_VERSION);
  }
  f.open(f.tls_options());
  const Result<Response> response = f.post_twice();
  REQUIRE(response.has_error());
  CHECK(response.error().code == Errc::connect_failed);
  CHECK(f.seen.empty());
}

TEST_CASE("a handshake that breaks or stalls says that nothing was sent") {
  TlsFixture f;
  bool closes = false;
  SECTION("closed") { closes = true; }
  SECTION("silent") {}
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.peer.accept();
    if (closes)
      connection->close();
    else
      co_await connection->read_to_end();
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post("x", closes ? Duration(10s) : Duration(50ms));
    REQUIRE(response.has_error());
    CHECK(response.error().code == Errc::connect_failed);
  };
  f.open(f.tls_options());
  f.loop.spawn(serve());
  f.loop.run(task());
}

TEST_CASE("a missing authority file is named, and nothing is sent") {
  TlsFixture f;
  TransportOptions options = f.tls_options();
  options.tls.ca_file = "/nowhere/ca.pem";
  f.open(std::move(options));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    REQUIRE(response.has_error());
    CHECK(response.error().code == Errc::connect_failed);
    CHECK(response.error().detail.find("/nowhere/ca.pem") != std::string::npos);
  };
  f.loop.run(task());
  CHECK(f.warnings.size() == 1);
}

}  // namespace
}  // namespace tideover::http
