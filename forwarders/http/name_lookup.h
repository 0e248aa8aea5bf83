// The addresses of one host, looked up so that neither a caller nor the end of the process waits for the
// resolver.
//
// getaddrinfo() cannot be cancelled, and with a dead name server it takes half a minute. It runs on a thread
// that owns all it touches and is left behind when its callers' time is over. At most one is under way per
// object; who comes meanwhile shares it. Nothing is cached beyond that. Executor: io.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "forwarders/http/address_book.h"
#include "wal/base/notifier.h"
#include "wal/base/result.h"

namespace tideover::http {

class NameLookup {
 public:
  // `io` and `clock` outlive.
  NameLookup(boost::asio::io_context& io, Clock& clock, std::string host, std::uint16_t port);
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;
  ~NameLookup();

  // In the system's order; an address in place of a name answers at once. Errors: connect_failed.
  awaitable<Result<Endpoints>> resolve(Time deadline);

  void wake_all();  // ends the waits; they fail

 private:
  struct Flight;  // one call of getaddrinfo

  Result<> take_off();
  void landed();

  boost::asio::io_context& io_;
  Clock& clock_;
  const std::string host_;
  const std::uint16_t port_;
  std::shared_ptr<Flight> flight_;  // while it is under way
  std::vector<Notifier*> waiting_;
};

}  // namespace tideover::http
