#include "bench/sink_driver.h"

#include <algorithm>

#include "bench/disk.h"

namespace tideover::bench {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(5);

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

SinkDriver::SinkDriver(const std::vector<SinkPhase>& phases, SinkState& sink, const Process& agent,
                       const std::filesystem::path& data, const std::atomic<std::uint64_t>& accepted_samples)
    : phases_(phases), sink_(sink), agent_(agent), data_(data), accepted_samples_(accepted_samples) {
  if (!phases_.empty()) thread_ = std::thread([this] { run(); });
}

SinkDriver::~SinkDriver() { stop(); }

std::vector<Outage> SinkDriver::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return outages_;
}

void SinkDriver::run() {
  while (!stopping_) {
    const SinkSetting wanted = setting_at(phases_, Clock::now() - start_, loading_);
    if (wanted != setting_) apply(wanted);
    watch_replay();
    std::this_thread::sleep_for(kInterval);
  }
}

void SinkDriver::apply(const SinkSetting& setting) {
  if (setting_.takes_data() && !setting.takes_data()) outage_start_ = Clock::now();
  if (!setting_.takes_data() && setting.takes_data()) end_outage();
  setting_ = setting;
  sink_.status = setting.status;
  sink_.delay_ms = setting.delay_ms;
  sink_.refuses = setting.refuses;
}

void SinkDriver::end_outage() {
  Outage outage;
  outage.stored_bytes = stored_bytes(data_);
  outage.rss_peak_bytes = agent_.usage().rss_peak_bytes;
  const std::uint64_t accepted = accepted_samples_, forwarded = sink_.samples;
  outage.backlog_samples = accepted - std::min(accepted, forwarded);
  requests_before_ = sink_.requests;
  outage_end_ = Clock::now();
  outage.seconds = seconds(outage_end_ - outage_start_);
  outages_.push_back(outage);
}

// The sink counts behind what it answers. When everything is counted, the last answer was the end.
void SinkDriver::watch_replay() {
  if (!setting_.takes_data() || outages_.empty() || outages_.back().replay_s) return;
  if (!outages_.back().first_answer_s && sink_.requests > requests_before_)
    outages_.back().first_answer_s = seconds(Clock::now() - outage_end_);
  if (sink_.samples < accepted_samples_) return;
  const Clock::time_point last_answer{Clock::duration(sink_.last_answer_ns)};
  outages_.back().replay_s = seconds(std::max(last_answer, outage_end_) - outage_end_);
}

}  // namespace tideover::bench
