#include "agent/server/connections.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tideover::server {
namespace {

using boost::system::error_code;

// Longer than a busy loop ever takes from one timer to the next.
constexpr Duration kStandstill = std::chrono::seconds(1);
// After a standstill: time for a client to go on.
constexpr Duration kSecondChance = std::chrono::seconds(5);

void close_now(Connection& connection) {
  error_code ignored;
  connection.socket.close(ignored);
}

void cancel(Connection& connection) {
  error_code ignored;
  connection.socket.cancel(ignored);  // not close(): the connection may be of use yet
}

void cut(Connection& connection) {
  connection.deadline = Time::max();
  connection.timed_out = true;
  cancel(connection);
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

Duration Connection::take_excuse() {
  all.excuse_standstill();
  return std::exchange(excused, Duration::zero());
}

Duration Connection::waited() const {
  const Time now = all.clock_.now();
  return awaited_since < now ? now - awaited_since : Duration::zero();
}

void Connection::give_way() {
  gave_way = true;
  cut(*this);
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
  if (!idle) ++crowded_out_;
  connection.idle_since = connection.awaited_since =
      Time::max();  // its coroutine ends on the next turn of the loop
  close_now(connection);
  return true;
}

void Connections::allow_idle_until(Time when) {
  for (Connection* connection : open_)
    if (connection->idle_since != Time::max() && connection->deadline > when) connection->allow_until(when);
}

void Connections::wake_idle() {
  for (Connection* connection : open_)
    if (connection->idle_since != Time::max()) cancel(*connection);
}

void Connections::cut_reading() {
  for (Connection* connection : open_)
    if (connection->reading) cut(*connection);
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

// A sweep that is long overdue: we stood still ourselves (stopped, frozen, moved to another host). What the
// clients sent meanwhile has not been read yet, so their time did not run either.
void Connections::excuse_standstill() {
  const Duration late = next_sweep_ == Time::max() ? Duration::zero() : clock_.now() - next_sweep_;
  if (late <= kStandstill) return;
  const Duration excused = late + kSecondChance;
  for (Connection* connection : open_) {
    if (connection->awaited_since != Time::max()) connection->awaited_since += excused;
    if (connection->deadline == Time::max()) continue;
    connection->deadline += excused;
    connection->excused += excused;
  }
  wake_at(next_sweep_ + excused);
}

void Connections::sweep() {
  excuse_standstill();
  const Time now = clock_.now();
  Time next = Time::max();
  for (Connection* connection : open_) {
    if (connection->deadline > now)
      next = std::min(next, connection->deadline);
    else
      cut(*connection);
  }
  next_sweep_ = Time::max();
  if (next != Time::max()) wake_at(next);
}

}  // namespace tideover::server
