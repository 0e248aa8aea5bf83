// The clock of the machine, on Asio's timers.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "wal/base/clock.h"

namespace tideover {

class SystemClock final : public Clock {
 public:
  explicit SystemClock(boost::asio::io_context& io) : io_(io) {}  // `io` outlives the clock

  Time now() const override;
  WallTime wall_now() const override;
  TimerId call_at(Time when, std::function<void()> callback) override;
  void cancel(TimerId timer) override;

 private:
  boost::asio::io_context& io_;
  TimerId last_ = 0;
  std::unordered_map<TimerId, boost::asio::steady_timer> timers_;
};

}  // namespace tideover
