// Switches the sink by its schedule while the load runs and the backlog drains, and notes what each outage
// cost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "bench/process.h"
#include "bench/sink.h"
#include "bench/sink_schedule.h"

namespace tideover::bench {

struct Outage {
  double seconds = 0;
  std::uint64_t backlog_samples = 0;  // accepted and not forwarded, at its end
  std::uint64_t rss_peak_bytes = 0;   // of the agent, from its start to the outage's end
  std::uint64_t stored_bytes = 0;     // at its end
  // From its end until the first request was answered.
  std::optional<double> first_answer_s;
  // From its end until everything accepted had been forwarded; nullopt when that did not come.
  std::optional<double> replay_s;
};

class SinkDriver {
 public:
  // All outlive the driver. The schedule's clock starts now.
  SinkDriver(const std::vector<SinkPhase>& phases, SinkState& sink, const Process& agent,
             const std::filesystem::path& data, const std::atomic<std::uint64_t>& accepted_samples);
  SinkDriver(const SinkDriver&) = delete;
  SinkDriver& operator=(const SinkDriver&) = delete;
  ~SinkDriver();

  void load_ended() { loading_ = false; }
  std::vector<Outage> stop();  // and what was seen

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  void apply(const SinkSetting& setting);
  void end_outage();
  void watch_replay();

  const std::vector<SinkPhase>& phases_;
  SinkState& sink_;
  const Process& agent_;
  const std::filesystem::path data_;
  const std::atomic<std::uint64_t>& accepted_samples_;
  const Clock::time_point start_ = Clock::now();
  std::atomic<bool> loading_{true};
  std::atomic<bool> stopping_{false};

  // Of the thread, until it has ended.
  SinkSetting setting_;
  Clock::time_point outage_start_;
  Clock::time_point outage_end_;
  std::uint64_t requests_before_ = 0;  // answered before the outage's end
  std::vector<Outage> outages_;
  std::thread thread_;
};

}  // namespace tideover::bench
