// The connections to one peer: those in use, counted and reachable for close(), and those kept for the next
// request.
//
// Executor: io.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "forwarders/http/client_connection.h"
#include "wal/base/notifier.h"

namespace tideover::http {

class ConnectionPool {
 public:
  // The right to one connection, and the connection itself; ends with its scope.
  class Lease {
   public:
    explicit Lease(ConnectionPool& pool) : pool_(pool) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    ClientConnection& connection() { return *connection_; }
    bool take_idle(std::uint64_t generation);  // false: none that is fit for use; a new one is needed
    void take_new(boost::asio::io_context& io);
    void give_back();  // it is fit for another request

   private:
    friend ConnectionPool;
    ConnectionPool& pool_;
    bool granted_ = false;
    std::unique_ptr<ClientConnection> connection_;
  };

  ConnectionPool(Clock& clock, std::size_t connections, Duration idle_time)
      : clock_(clock), connections_(connections), idle_time_(idle_time) {}

  // Waits until fewer than `connections` are in use; false when `deadline` or close() came first.
  awaitable<bool> grant(Lease& lease, Time deadline);

  void drop_idle() { idle_.clear(); }
  void close();  // for good
  bool closed() const { return closed_; }

 private:
  Clock& clock_;
  const std::size_t connections_;
  const Duration idle_time_;
  bool closed_ = false;
  std::vector<Lease*> granted_;
  std::vector<std::unique_ptr<ClientConnection>> idle_;  // the one used last is at the end
  std::deque<Notifier*> waiting_;
};

}  // namespace tideover::http
