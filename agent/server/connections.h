// The open connections and the time each may still take: one timer for all of them.
//
// A deadline per operation without a timer per operation: a connection notes when its present step must be
// over, and the one timer wakes for the earliest. Noting a time later than the next wake-up costs one store.
// Executor: io.
#pragma once

#include <cstdint>
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
  Duration take_excuse();       // by how much its time was prolonged since the last call
  Duration waited() const;      // for its client, in the midst of a request
  void give_way();              // its request is cut, so that there is memory for others

  Connections& all;
  Socket socket;
  Time deadline = Time::max();
  Duration excused = Duration::zero();
  Time idle_since = Time::max();     // set while nothing of a request has arrived
  Time awaited_since = Time::max();  // set while the client is to send or to take something, other than that
  bool proven = false;               // has had an answer: no newcomer
  bool timed_out = false;            // cut, by its deadline or because it
  bool gave_way = false;             // gave way
  bool reading = false;              // waits for bytes of its client
  std::list<Connection*>::iterator place;
};

class Connections {
 public:
  explicit Connections(Clock& clock) : clock_(clock) {}  // `clock` outlives
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  std::size_t size() const { return open_.size(); }
  std::uint64_t crowded_out() const { return crowded_out_; }  // that made room in the midst of a request

  // Closes the connection that does least with its place, so that clients which hold connections and do not
  // use them cannot keep others out: the one that has waited longest for a request, newcomers first; if none
  // waits, the one that has kept us waiting longest in the middle of one, if that is longer than `patience`.
  // False when there is none.
  bool make_room(Duration patience);
  void allow_idle_until(Time when);  // those that wait for a request have until then at the most
  void wake_idle();                  // their reads end, with nothing read
  void cut_reading();                // as if the time of every unfinished request were over
  void close_all();                  // and touches the clock no more

 private:
  friend Connection;

  void wake_at(Time when);
  void sweep();
  void excuse_standstill();
  void stop_timer();

  Clock& clock_;
  std::list<Connection*> open_;
  std::uint64_t crowded_out_ = 0;
  Time next_sweep_ = Time::max();
  Clock::TimerId timer_ = 0;
};

}  // namespace tideover::server
