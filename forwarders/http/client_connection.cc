#include "forwarders/http/client_connection.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace tideover::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kHeadBytesMax = 16 << 10;
constexpr int kAliveIdleSeconds = 30;
constexpr int kAliveIntervalSeconds = 10;
constexpr unsigned kUnackedMsMax = 30'000;  // bytes that nobody acknowledged for so long: the peer is gone

void tune(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  const int fd = socket.native_handle();
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kAliveIdleSeconds, sizeof(kAliveIdleSeconds));
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kAliveIntervalSeconds, sizeof(kAliveIntervalSeconds));
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnackedMsMax, sizeof(kUnackedMsMax));
}

}  // namespace

struct ClientConnection::Tls {
  Tls(tcp::socket& socket, std::shared_ptr<ssl::context> the_context)
      : context(std::move(the_context)), stream(socket, *context) {}

  // Whole records or parts of one, decrypted or not: a read from the socket may have brought several.
  bool holds_bytes() {
    SSL* ssl = stream.native_handle();
    return SSL_has_pending(ssl) == 1 || BIO_ctrl_pending(SSL_get_rbio(ssl)) > 0;
  }

  const std::shared_ptr<ssl::context> context;  // outlives the stream
  ssl::stream<tcp::socket&> stream;
};

ClientConnection::ClientConnection(boost::asio::io_context& io, Clock& clock)
    : socket_(io),
      buffer_(kHeadBytesMax + 1024),
      parser_(MessageParser::Kind::response, kHeadBytesMax),
      write_ended_(clock) {}

ClientConnection::~ClientConnection() = default;

awaitable<error_code> ClientConnection::connect(tcp::endpoint to) {
  error_code error;
  socket_.close(error);  // an address tried before this one
  error = {};
  tls_.reset();
  peer_ = to;
  co_await socket_.async_connect(to, redirect_error(use_awaitable, error));
  if (!error) tune(socket_);
  co_return error;
}

awaitable<error_code> ClientConnection::secure(std::shared_ptr<ssl::context> context,
                                               std::string server_name) {
  tls_ = std::make_unique<Tls>(socket_, std::move(context));
  error_code error;
  boost::asio::ip::make_address(server_name, error);
  const bool is_name = static_cast<bool>(error);  // an address is not asked for by name (RFC 6066 section 3)
  if (is_name) SSL_set_tlsext_host_name(tls_->stream.native_handle(), server_name.c_str());
  error = {};
  tls_->stream.set_verify_callback(ssl::host_name_verification(server_name), error);
  if (error) co_return error;
  co_await tls_->stream.async_handshake(ssl::stream_base::client, redirect_error(use_awaitable, error));
  co_return error;
}

// Posted, so that the caller listens before the first byte goes out: what the peer has said by then is read
// first.
void ClientConnection::write(std::string_view head, std::string_view body) {
  writing_ = true;
  write_error_ = {};
  boost::asio::post(socket_.get_executor(), [this, head, body] { start_write(head, body); });
}

void ClientConnection::start_write(std::string_view head, std::string_view body) {
  const std::array<boost::asio::const_buffer, 2> parts = {boost::asio::buffer(head),
                                                          boost::asio::buffer(body)};
  auto ended = [this](const error_code& error, std::size_t) {
    writing_ = false;
    write_error_ = error;
    write_ended_.notify();
  };
  if (tls_)
    boost::asio::async_write(tls_->stream, parts, std::move(ended));
  else
    boost::asio::async_write(socket_, parts, std::move(ended));
}

awaitable<error_code> ClientConnection::written() {
  while (writing_) co_await write_ended_.wait();
  co_return write_error_;
}

bool ClientConnection::sending() {
  if (writing_ || write_error_) return true;
  int unacknowledged = 0;
  return ::ioctl(socket_.native_handle(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0;
}

awaitable<error_code> ClientConnection::read_more() {
  error_code error;
  std::size_t n = 0;
  const boost::asio::mutable_buffer room = buffer_.room();
  if (tls_)
    n = co_await tls_->stream.async_read_some(room, redirect_error(use_awaitable, error));
  else
    n = co_await socket_.async_read_some(room, redirect_error(use_awaitable, error));
  buffer_.commit(n);
  co_return error;
}

void ClientConnection::close() {
  error_code ignored;
  socket_.close(ignored);
}

bool ClientConnection::still_good() {
  if (!socket_.is_open() || sending() || !buffer_.data().empty()) return false;
  // Under TLS even a harmless late ticket ends it here: a new connection is cheaper than a doubt about
  // delivery.
  if (tls_ && tls_->holds_bytes()) return false;
  char byte = 0;
  const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool is_handshake_alert(const error_code& error) {
  if (error.category() != boost::asio::error::get_ssl_category()) return false;
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value())) - SSL_AD_REASON_OFFSET) {
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED: return true;
    default: return false;
  }
}

std::string describe(const error_code& error) {
  if (error == boost::asio::error::eof) return "the peer closed it";
  if (error == ssl::error::stream_truncated) return "the peer closed it without a TLS goodbye";
  return error.message();
}

}  // namespace tideover::http
