#include "agent/server/connections.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tideover::server {
namespace {

using boost::system::error_code;

void close_now(Connection& connection) {
  error_code ignored;
  connection.socket.close(ignored);
}

}  // namespace

Connection::Connection(Connections& all_open, Socket accepted)
    : all(all_open), socket(std::move(accepted)), place(all.open_.insert(all.open_.end(), this)) {}

Connection::~Connection() {
  all.open_.erase(place);
  if (all.open_.empty()) all.stop_timer();
}

void Connection::allow_until(Time when) {
  deadline = when;
  if (when < all.next_sweep_) all.wake_at(when);
}

Connections::~Connections() { stop_timer(); }

bool Connections::make_room(Duration patience) {
  // Idle before busy, newcomers before the proven, then by how long.
  const auto rank = [](const Connection* c) {
    const bool idle = c->idle_since != Time::max();
    return std::tuple(!idle, idle && c->proven, idle ? c->idle_since : c->awaited_since);
  };
  const auto least =
      std::min_element(open_.begin(), open_.end(),
                       [rank](const Connection* a, const Connection* b) { return rank(a) < rank(b); });
  if (least == open_.end()) return false;
  Connection& connection = **least;
  const bool idle = connection.idle_since != Time::max();
  const bool slow =
      connection.awaited_since != Time::max() && clock_.now() - connection.awaited_since > patience;
  if (!idle && !slow) return false;
  connection.idle_since = connection.awaited_since =
      Time::max();  // its coroutine ends on the next turn of the loop
  close_now(connection);
  return true;
}

void Connections::close_idle() {
  for (Connection* connection : open_)
    if (connection->idle_since != Time::max()) close_now(*connection);
}

void Connections::close_all() {
  for (Connection* connection : open_) close_now(*connection);
  stop_timer();
}

void Connections::stop_timer() {
  if (timer_ != 0) clock_.cancel(std::exchange(timer_, 0));
  next_sweep_ = Time::max();
}

void Connections::wake_at(Time when) {
  stop_timer();
  next_sweep_ = when;
  timer_ = clock_.call_at(when, [this] {
    timer_ = 0;
    sweep();
  });
}

void Connections::sweep() {
  const Time now = clock_.now();
  Time next = Time::max();
  for (Connection* connection : open_) {
    if (connection->deadline > now) {
      next = std::min(next, connection->deadline);
      continue;
    }
    connection->deadline = Time::max();
    connection->timed_out = true;
    error_code ignored;
    connection->socket.cancel(ignored);  // not close(): the client may still be told why
  }
  next_sweep_ = Time::max();
  if (next != Time::max()) wake_at(next);
}

}  // namespace tideover::server
