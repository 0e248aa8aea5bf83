#include "forwarders/http/connection_pool.h"

#include <algorithm>

namespace tideover::http {

ConnectionPool::Lease::~Lease() {
  if (!granted_) return;
  pool_.granted_.erase(std::find(pool_.granted_.begin(), pool_.granted_.end(), this));
  if (!pool_.waiting_.empty()) pool_.waiting_.front()->notify();
}

bool ConnectionPool::Lease::take_idle(std::uint64_t generation) {
  const Time oldest = pool_.clock_.now() - pool_.idle_time_;
  while (!pool_.idle_.empty()) {
    std::unique_ptr<ClientConnection> candidate = std::move(pool_.idle_.back());
    pool_.idle_.pop_back();
    const bool fit =
        candidate->idle_since > oldest && candidate->generation == generation && candidate->still_good();
    if (!fit) continue;
    connection_ = std::move(candidate);
    return true;
  }
  return false;
}

void ConnectionPool::Lease::take_new(boost::asio::io_context& io) {
  connection_ = std::make_unique<ClientConnection>(io, pool_.clock_);
}

void ConnectionPool::Lease::give_back() {
  if (pool_.closed_) return;
  connection_->idle_since = pool_.clock_.now();
  pool_.idle_.push_back(std::move(connection_));
}

awaitable<bool> ConnectionPool::grant(Lease& lease, Time deadline) {
  bool in_time = true;
  while (!closed_ && in_time && granted_.size() >= connections_) {
    Notifier notifier(clock_);
    waiting_.push_back(&notifier);
    in_time = co_await notifier.wait_until(deadline);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &notifier));
  }
  if (closed_ || granted_.size() >= connections_) co_return false;
  granted_.push_back(&lease);
  lease.granted_ = true;
  co_return true;
}

void ConnectionPool::close() {
  closed_ = true;
  idle_.clear();
  for (Lease* lease : granted_)
    if (lease->connection_) lease->connection_->close();
  for (Notifier* waiter : waiting_) waiter->notify();
}

}  // namespace tideover::http
