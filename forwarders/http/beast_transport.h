// The transport of production: pooled keep-alive connections over TCP or TLS to one URL.
//
// Every wait ends by the deadline of its send(). After a failure, and after several refusals in a row, the
// idle connections are dropped: the next request looks the name up, and begins with another of its addresses
// if there is one (address_book.h). Executor: io.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "forwarders/http/credentials.h"
#include "forwarders/http/tls_context.h"
#include "forwarders/http/transport.h"

namespace tideover::http {

struct TransportOptions {
  std::string url;  // http or https; its path comes before every request's target, which may be empty
  Duration connect_time = std::chrono::seconds(5);  // name, all addresses and TLS together
  Duration idle_time = std::chrono::seconds(60);  // of a pooled connection; below what servers and NATs grant
  std::size_t connections = 4;                    // at a time; a send() beyond them waits its turn
  TlsOptions tls;
  AuthOptions auth;
  Headers headers;  // sent with every request, such as a tenant's
  Warn warn;        // a file that cannot be used any more, once per fault; standard error until set
};

class BeastTransport final : public Transport {
 public:
  // Checks the options; files are read when they are needed, so that one that is missing at start may still
  // come. `io` and `clock` outlive the transport. Errors: bad_input.
  static Result<std::unique_ptr<BeastTransport>> create(boost::asio::io_context& io, Clock& clock,
                                                        TransportOptions options);
  ~BeastTransport() override;  // after every send() has ended

  // At most 64 KiB of an answer's body are kept; the rest is cut off.
  awaitable<Result<Response>> send(Request request, Time deadline) override;
  void close() override;

 private:
  class Impl;
  explicit BeastTransport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::http
