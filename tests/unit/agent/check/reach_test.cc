// Reaching a destination on real sockets of this machine: connect, and nothing more.
#include "agent/check/reach.h"

#include <arpa/inet.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "agent/config/values.h"
#include "tests/support/certificates.h"

namespace tideover::check {
namespace {

using namespace std::chrono_literals;

// A port on which the kernel answers connects, and nobody ever answers requests.
class SilentPort {
 public:
  SilentPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentPort() { close(); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::uint16_t port() const { return port_; }

  // What the first client sent before it closed.
  std::string received() const {
    const int client = ::accept(fd_, nullptr, nullptr);
    char bytes[256];
    const ssize_t got = ::recv(client, bytes, sizeof bytes, 0);
    ::close(client);
    return std::string(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
  }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

config::Destination at(std::string_view scheme, std::string_view host, std::uint16_t port) {
  config::Destination destination;
  destination.name = "thanos";
  destination.url = *config::parse_url(std::string(scheme) + "://" + std::string(host) + ":" +
                                       std::to_string(port) + "/api/v1/receive");
  return destination;
}

TEST_CASE("a destination that accepts a connection is reachable, and is sent nothing") {
  SilentPort port;
  const auto finding = reach(at("http", "127.0.0.1", port.port()), 5s);
  CHECK(finding.level == Level::ok);
  CHECK(finding.subject == "destination thanos: url");
  CHECK(finding.sentence == "127.0.0.1 port " + std::to_string(port.port()) + " answers at 127.0.0.1");
  CHECK(port.received().empty());
}

TEST_CASE("a refused connection is an error with the system's words") {
  SilentPort port;
  port.close();
  const auto finding = reach(at("http", "127.0.0.1", port.port()), 5s);
  CHECK(finding.level == Level::error);
  CHECK(finding.sentence.find("127.0.0.1: Connection refused") != std::string::npos);
}

TEST_CASE("a name that does not resolve is an error that says so") {
  const auto finding = reach(at("http", "no-such-host.invalid", 80), 5s);
  CHECK(finding.level == Level::error);
  CHECK(finding.sentence.find("no-such-host.invalid is not resolved") != std::string::npos);
}

TEST_CASE("a server that never speaks TLS ends the wait at its deadline") {
  SilentPort port;
  const auto finding = reach(at("https", "127.0.0.1", port.port()), 50ms);
  CHECK(finding.level == Level::error);
  CHECK(finding.sentence.find("TLS fails: no answer in time") != std::string::npos);
}

TEST_CASE("an authority file that cannot be used is named before any handshake") {
  SilentPort port;
  auto destination = at("https", "127.0.0.1", port.port());
  destination.tls.ca_file = "/nonexistent/ca.pem";
  const auto finding = reach(destination, 5s);
  CHECK(finding.level == Level::error);
  CHECK(finding.sentence.find("/nonexistent/ca.pem") != std::string::npos);
}

// Shakes hands with one client, and keeps what the client sends afterwards.
class TlsPort {
 public:
  TlsPort(const test::Certificates& certificates, const std::string& name)
      : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    context_.use_certificate_chain_file(certificates.pem(name));
    context_.use_private_key_file(certificates.key(name), boost::asio::ssl::context::pem);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsPort() {
    if (thread_.joinable()) thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string received() {
    thread_.join();
    return received_;
  }

 private:
  void serve() {
    boost::system::error_code error;
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream(io_, context_);
    acceptor_.accept(stream.next_layer(), error);
    stream.handshake(boost::asio::ssl::stream_base::server, error);
    if (error) return;
    char bytes[256];
    const std::size_t got = stream.read_some(boost::asio::buffer(bytes), error);
    received_.assign(bytes, got);
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string received_;
  std::thread thread_;
};

TEST_CASE("TLS is agreed with a server whose certificate fits, and nothing is sent over it") {
  test::Certificates certificates;
  certificates.issue("server", "IP:127.0.0.1");
  TlsPort port(certificates, "server");
  auto destination = at("https", "127.0.0.1", port.port());
  destination.tls.ca_file = certificates.pem("ca");
  const auto finding = reach(destination, 10s);
  INFO(finding.sentence);
  CHECK(finding.level == Level::ok);
  CHECK(finding.sentence.find("TLSv1.3, certificate accepted for 127.0.0.1") != std::string::npos);
  CHECK(port.received().empty());
}

TEST_CASE("a certificate for another name is not accepted, unless that name is the one to expect") {
  test::Certificates certificates;
  certificates.issue("server", "DNS:thanos.mgmt");
  {
    TlsPort port(certificates, "server");
    auto destination = at("https", "127.0.0.1", port.port());
    destination.tls.ca_file = certificates.pem("ca");
    const auto finding = reach(destination, 10s);
    CHECK(finding.level == Level::error);
    CHECK(finding.sentence.find("the certificate is not accepted: ") != std::string::npos);
  }
  TlsPort port(certificates, "server");
  auto destination = at("https", "127.0.0.1", port.port());
  destination.tls.ca_file = certificates.pem("ca");
  destination.tls.server_name = "thanos.mgmt";
  CHECK(reach(destination, 10s).level == Level::ok);
}

TEST_CASE("a certificate of an unknown authority is not accepted") {
  test::Certificates certificates;
  certificates.make_authority("other");
  certificates.issue("server", "IP:127.0.0.1", "other");
  TlsPort port(certificates, "server");
  auto destination = at("https", "127.0.0.1", port.port());
  destination.tls.ca_file = certificates.pem("ca");
  const auto finding = reach(destination, 10s);
  CHECK(finding.level == Level::error);
  CHECK(finding.sentence.find("the certificate is not accepted: ") != std::string::npos);
}

}  // namespace
}  // namespace tideover::check
