// The open connections and the time each may still take: one timer for all of them.
//
// A deadline per operation without a timer per operation: a connection notes when its present step must be
// over, and the one timer wakes for the earliest. Noting a time later than the next wake-up costs one store.
// Executor: io.
#pragma once

#include <list>

#include "agent/server/listener.h"
#include "wal/base/clock.h"

namespace tideover::server {

class Connections;

// One client's socket and its bookkeeping. Its operations are in connection.h.
struct Connection {
  Connection(Connections& all_open, Socket accepted);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void allow_until(Time when);  // what is under way, and what follows, is cut at `when`

  Connections& all;
  Socket socket;
  Time deadline = Time::max();
  Time idle_since = Time::max();  // set while nothing of a request has arrived
  bool timed_out = false;         // cut by its deadline
  std::list<Connection*>::iterator place;
};

class Connections {
 public:
  explicit Connections(Clock& clock) : clock_(clock) {}  // `clock` outlives
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  std::size_t size() const { return open_.size(); }

  // Closes the connection that has waited longest for a request; false when none is waiting. A client that
  // holds connections without using them then cannot keep others out.
  bool close_longest_idle();
  void close_idle();
  void close_all();  // and touches the clock no more

 private:
  friend Connection;

  void wake_at(Time when);
  void sweep();
  void stop_timer();

  Clock& clock_;
  std::list<Connection*> open_;
  Time next_sweep_ = Time::max();
  Clock::TimerId timer_ = 0;
};

}  // namespace tideover::server
