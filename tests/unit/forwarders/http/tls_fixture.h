// A transport and a peer that speaks TLS.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/unit/forwarders/http/fixture.h"

namespace tideover::test {

struct TlsFixture : TransportFixture {
  Certificates certificates;
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
  bool shaken = false;
  std::vector<http::Request> seen;

  explicit TlsFixture(const std::string& alt_name = "DNS:localhost,IP:127.0.0.1") {
    certificates.issue("server", alt_name);
    context.use_certificate_chain_file(certificates.pem("server"));
    context.use_private_key_file(certificates.key("server"), boost::asio::ssl::context::pem);
  }

  void require_client_certificate() {
    context.load_verify_file(certificates.pem("ca"));
    context.set_verify_mode(boost::asio::ssl::verify_peer | boost::asio::ssl::verify_fail_if_no_peer_cert);
  }

  http::TransportOptions tls_options(std::string_view host = "127.0.0.1") {
    http::TransportOptions made = options();
    made.url = peer.tls_url(host);
    made.tls.ca_file = certificates.pem("ca");
    return made;
  }

  awaitable<void> serve() {
    auto connection = co_await peer.accept();
    shaken = co_await connection->secure_as_server(context);
    if (!shaken) co_return;
    while (true) {
      http::Request request = co_await connection->read_request();
      if (request.method.empty()) co_return;
      seen.push_back(std::move(request));
      co_await connection->send(kNoContent);
    }
  }

  // The outcome of one request, and of a second one if the first was answered.
  Result<http::Response> post_twice() {
    Result<http::Response> last = fail(Errc::stopping, "not run");
    auto task = [&]() -> awaitable<void> {
      last = co_await post("one");
      if (last) last = co_await post("two");
    };
    loop.spawn(serve());
    loop.run(task());
    return last;
  }
};

}  // namespace tideover::test
