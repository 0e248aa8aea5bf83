#include "bench/report.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "bench/json_text.h"

namespace tideover::bench {
namespace {

double per(double value, std::uint64_t count) { return count == 0 ? 0 : value / static_cast<double>(count); }

double per(std::uint64_t value, std::uint64_t count) { return per(static_cast<double>(value), count); }

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

JsonObject stream_of(const Setting& setting) {
  const Stream& stream = setting.stream;
  JsonObject json;
  json.text("source", setting.source)
      .count("remote_write", stream.version == remote_write::Version::v1 ? 1 : 2)
      .count("series", stream.hashes.of_labels.size())
      .count("churning_series", stream.hashes.churning)
      .count("connections", stream.by_connection.size())
      .number("samples_per_request", per(stream.samples, stream.requests), 1)
      .number("bytes_per_sample", per(stream.bytes, stream.samples), 2);
  return json;
}

JsonObject accepted_of(const LoadResult& load) {
  JsonObject json;
  json.count("samples", load.accepted_samples)
      .count("requests", load.accepted_requests)
      .count("bytes", load.accepted_bytes)
      .count("refused_503", load.refused)
      .count("owed_samples", load.owed_samples)
      .number("seconds", load.seconds, 3)
      .number("samples_per_second", static_cast<double>(load.accepted_samples) / load.seconds, 0);
  return json;
}

JsonObject latencies_of(const LoadResult& load) {
  JsonObject json;
  json.number("p50", quantile_ms(load.latencies_s, 0.5), 2)
      .number("p90", quantile_ms(load.latencies_s, 0.9), 2)
      .number("p99", quantile_ms(load.latencies_s, 0.99), 2)
      .number("p99.9", quantile_ms(load.latencies_s, 0.999), 2)
      .number("max", quantile_ms(load.latencies_s, 1), 2);
  return json;
}

JsonObject forwarded_of(const Measurement& m) {
  JsonObject json;
  json.count("samples", m.sink_samples)
      .count("requests", m.sink_requests)
      .count("bytes", m.sink_bytes)
      .number("samples_per_request", per(m.sink_samples, m.sink_requests), 1)
      .number("drain_seconds", m.drain_s, 3);
  return json;
}

JsonObject disk_of(const Measurement& m) {
  JsonObject json;
  json.number("written_bytes_per_sample", per(m.usage.written_bytes, m.load.accepted_samples), 2)
      .number("stored_mib_after_load", mib(m.stored_after_load_bytes), 1)
      .number("stored_mib_at_end", mib(m.stored_at_end_bytes), 1)
      .count("device_flushes", m.device.flushes)
      .number("device_written_mib", mib(m.device.written_bytes), 1);
  return json;
}

JsonObject syncs_of(const SyncCounts& syncs) {
  JsonObject json;
  json.count("fdatasync", syncs.fdatasync).count("fsync", syncs.fsync).count("other", syncs.other);
  return json;
}

JsonObject cgroup_of(const CgroupUsage& cgroup, const CgroupLimits& limits) {
  JsonObject json;
  json.count("cpu_limit_millis", limits.cpu_millis)
      .number("memory_limit_mib", mib(limits.memory_bytes), 0)
      .number("memory_peak_mib", mib(cgroup.memory_peak_bytes), 1)
      .number("cpu_s", cgroup.cpu_s, 3)
      .count("periods", cgroup.periods)
      .count("throttled_periods", cgroup.throttled_periods)
      .number("throttled_s", cgroup.throttled_s, 3)
      .count("oom_kills", cgroup.oom_kills);
  return json;
}

JsonObject outage_of(const Outage& outage) {
  JsonObject json;
  json.number("seconds", outage.seconds, 1)
      .count("backlog_samples", outage.backlog_samples)
      .number("stored_bytes_per_sample", per(outage.stored_bytes, outage.backlog_samples), 2)
      .number("rss_peak_mib", mib(outage.rss_peak_bytes), 1);
  if (outage.first_answer_s) json.number("first_answer_seconds", *outage.first_answer_s, 2);
  if (!outage.first_answer_s) json.nothing("first_answer_seconds");
  if (!outage.replay_s) return json.nothing("replay_seconds").nothing("replayed_samples_per_second");
  json.number("replay_seconds", *outage.replay_s, 2)
      .number("replayed_samples_per_second", static_cast<double>(outage.backlog_samples) / *outage.replay_s,
              0);
  return json;
}

}  // namespace

std::string to_json(const Measurement& m, const Setting& setting) {
  JsonObject json;
  json.text("scenario", setting.scenario)
      .text("subject", name_of(m.subject))
      .flag("valid", m.valid())
      .texts("faults", m.faults)
      .flag("verified", setting.options.verify)
      .number("samples_per_cpu_second", m.samples_per_cpu_s(), 0)
      .number("cpu_user_s", m.usage.user_s, 2)
      .number("cpu_system_s", m.usage.system_s, 2)
      .number("cpu_life_s", m.life_cpu_s, 2)
      .number("cpu_percent_of_core", 100 * m.usage.run_s / m.window_s, 3)
      .object("stream", stream_of(setting))
      .number("offered_samples_per_second", setting.options.load.samples_per_second, 0)
      .count("idle_connections", setting.options.idle_connections)
      .object("accepted", accepted_of(m.load))
      .object("acknowledged_ms", latencies_of(m.load))
      .object("forwarded", forwarded_of(m))
      .number("rss_peak_mib", mib(m.usage.rss_peak_bytes), 1)
      .count("threads", m.usage.threads)
      .count("wake_ups", m.usage.wake_ups)
      .number("wake_ups_per_second", static_cast<double>(m.usage.wake_ups) / m.window_s, 1)
      .count("context_switches", m.usage.context_switches())
      .count("read_write_calls", m.usage.read_write_calls)
      .object("disk", disk_of(m));
  if (m.syncs) json.object("syncs", syncs_of(*m.syncs));
  if (!m.syncs) json.nothing("syncs");
  if (m.cgroup) json.object("cgroup", cgroup_of(*m.cgroup, setting.options.limits));
  if (!m.cgroup) json.nothing("cgroup");
  std::vector<JsonObject> outages;
  for (const Outage& outage : m.outages) outages.push_back(outage_of(outage));
  return json.objects("outages", outages).str();
}

std::string one_line(const Measurement& m) {
  return fmt::format("{:<12} {:>6.3f} M samples/CPU-s, p99 {:.1f} ms, RSS {:.0f} MiB, {:.2f} % of a core{}",
                     name_of(m.subject), m.samples_per_cpu_s() / 1e6, quantile_ms(m.load.latencies_s, 0.99),
                     mib(m.usage.rss_peak_bytes), 100 * m.usage.run_s / m.window_s,
                     m.valid() ? "" : "  NOT VALID: " + m.faults.front());
}

double quantile_ms(const std::vector<float>& sorted_s, double q) {
  if (sorted_s.empty()) return 0;
  const double rank = std::ceil(q * static_cast<double>(sorted_s.size()));
  const std::size_t index = std::min(sorted_s.size() - 1, static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
  return static_cast<double>(sorted_s[index]) * 1e3;
}

}  // namespace tideover::bench
