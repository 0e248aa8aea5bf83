#include "agent/check/reach.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <fmt/format.h>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "agent/check/blocking_socket.h"
#include "forwarders/http/tls_context.h"
#include "wal/base/system_clock.h"

namespace tideover::check {
namespace {

using Session = std::unique_ptr<SSL, decltype(&::SSL_free)>;

bool is_address(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

// What the agent will ask for and verify.
void expect_name(SSL* session, const std::string& name) {
  if (is_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session), name.c_str());
  } else {
    SSL_set_tlsext_host_name(session, name.c_str());
    ::SSL_set1_host(session, name.c_str());
  }
}

std::string why_handshake_failed(SSL* session) {
  if (const long verdict = ::SSL_get_verify_result(session); verdict != X509_V_OK)
    return fmt::format("the certificate is not accepted: {}", ::X509_verify_cert_error_string(verdict));
  const auto code = ::ERR_peek_last_error();
  const char* reason = ::ERR_reason_error_string(code);
  return reason != nullptr ? reason : "the server closed the connection";
}

Result<std::string> shake_hands(const config::Destination& destination, const BlockingSocket& socket,
                                Deadline deadline) {
  boost::asio::io_context io;
  SystemClock clock(io);
  const auto& tls = destination.tls;
  http::TlsContext context({.ca_file = tls.ca_file,
                            .cert_file = tls.cert_file,
                            .key_file = tls.key_file,
                            .server_name = tls.server_name},
                           clock, [](std::string_view) {});
  const auto current = context.current();
  if (!current) return current.error();
  ::ERR_clear_error();
  const Session session(::SSL_new((*current)->native_handle()), &::SSL_free);
  const std::string& name = tls.server_name.empty() ? destination.url.host : tls.server_name;
  expect_name(session.get(), name);
  ::SSL_set_fd(session.get(), socket.fd());
  for (;;) {
    const int answer = ::SSL_connect(session.get());
    if (answer == 1)
      return fmt::format("{}, certificate accepted for {}", ::SSL_get_version(session.get()), name);
    const int wanted = ::SSL_get_error(session.get(), answer);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
      return fail(Errc::connect_failed, why_handshake_failed(session.get()));
    if (auto waited = socket.wait_for(wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline); !waited)
      return fail(Errc::timeout, "no answer in time");
  }
}

}  // namespace

Finding reach(const config::Destination& destination, std::chrono::milliseconds patience) {
  const std::string subject = fmt::format("destination {}: url", destination.name);
  const auto& url = destination.url;
  const Deadline deadline = std::chrono::steady_clock::now() + patience;
  const auto socket = BlockingSocket::connect_tcp(url.host, url.port, deadline);
  if (!socket)
    return {Level::error, subject,
            fmt::format("no connection to {} port {}: {}", url.host, url.port, socket.error().detail)};
  std::string reached = fmt::format("{} port {} answers at {}", url.host, url.port, socket->peer());
  if (!url.https) return {Level::ok, subject, reached};
  const auto session = shake_hands(destination, *socket, deadline);
  if (!session)
    return {Level::error, subject, fmt::format("{}, and TLS fails: {}", reached, session.error().detail)};
  return {Level::ok, subject, fmt::format("{}: {}", reached, *session)};
}

}  // namespace tideover::check
