// Time as the agent sees it; the simulator puts its own in place.
//
// Executor: every verb is called on the io executor, and callbacks run there.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>

namespace tideover {

template <class T = void>
using awaitable = boost::asio::awaitable<T>;

using Duration = std::chrono::steady_clock::duration;
using Time = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
 public:
  using TimerId = std::uint64_t;

  virtual ~Clock() = default;

  virtual Time now() const = 0;           // never goes back; for deadlines
  virtual WallTime wall_now() const = 0;  // may jump; for what people read

  // Runs `callback` once at `when` or soon after, unless cancelled before. Never runs it from inside call_at.
  virtual TimerId call_at(Time when, std::function<void()> callback) = 0;
  virtual void cancel(TimerId timer) = 0;  // no effect when it has run already
};

inline std::int64_t to_unix_ms(WallTime t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

}  // namespace tideover
