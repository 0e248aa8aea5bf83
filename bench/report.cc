#include "bench/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace tideover::bench {
namespace {

namespace json = boost::json;

double quantile_ms(const std::vector<float>& sorted_s, double q) {
  if (sorted_s.empty()) return 0;
  const double rank = std::ceil(q * static_cast<double>(sorted_s.size()));
  const std::size_t index = std::min(sorted_s.size() - 1, static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
  return std::round(static_cast<double>(sorted_s[index]) * 1e6) / 1e3;
}

double rounded(double value, double step) { return std::round(value / step) * step; }

double per(double value, std::uint64_t count) { return count == 0 ? 0 : value / static_cast<double>(count); }

std::string row(std::string_view name, std::vector<double> values, double reference) {
  std::sort(values.begin(), values.end());
  const double median = values[values.size() / 2];
  return fmt::format("{:<18} {:>4} {:>9.3f} {:>9.3f} {:>9.3f} {:>8.2f}\n", name, values.size(),
                     values.front() / 1e6, median / 1e6, values.back() / 1e6,
                     reference > 0 ? median / reference : 0);
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

std::string to_json(const Measurement& m, const Stream& stream, const std::string& source) {
  json::array faults;
  for (const std::string& fault : m.faults) faults.emplace_back(fault);
  const auto& latencies = m.load.latencies_s;
  const std::uint64_t samples = m.load.accepted_samples;
  const json::object object{
      {"subject", name_of(m.subject)},
      {"valid", m.valid()},
      {"faults", std::move(faults)},
      {"samples_per_cpu_second", std::round(m.samples_per_cpu_s())},
      {"cpu_user_s", rounded(m.usage.user_s, 0.01)},
      {"cpu_system_s", rounded(m.usage.system_s, 0.01)},
      {"cpu_life_s", rounded(m.life_cpu_s, 0.01)},
      {"stream",
       {{"source", source},
        {"version", stream.version == remote_write::Version::v1 ? "1.0" : "2.0"},
        {"series", stream.series_hashes.size()},
        {"connections", stream.by_connection.size()},
        {"samples_per_request", per(static_cast<double>(stream.samples), stream.requests)},
        {"bytes_per_sample", per(static_cast<double>(stream.bytes), stream.samples)}}},
      {"accepted",
       {{"samples", samples},
        {"requests", m.load.accepted_requests},
        {"bytes", m.load.accepted_bytes},
        {"refused_503", m.load.refused},
        {"seconds", rounded(m.load.seconds, 0.001)},
        {"samples_per_second", std::round(static_cast<double>(samples) / m.load.seconds)}}},
      {"acknowledged_ms",
       {{"p50", quantile_ms(latencies, 0.5)},
        {"p90", quantile_ms(latencies, 0.9)},
        {"p99", quantile_ms(latencies, 0.99)},
        {"max", quantile_ms(latencies, 1)}}},
      {"forwarded",
       {{"samples", m.sink_samples},
        {"requests", m.sink_requests},
        {"bytes", m.sink_bytes},
        {"samples_per_request", std::round(per(static_cast<double>(m.sink_samples), m.sink_requests))},
        {"drain_seconds", rounded(m.drain_s, 0.001)}}},
      {"rss_peak_bytes", m.usage.rss_peak_bytes},
      {"written_bytes", m.usage.written_bytes},
      {"written_bytes_per_sample", per(static_cast<double>(m.usage.written_bytes), samples)},
      {"context_switches", m.usage.context_switches},
  };
  return json::serialize(object);
}

std::string summary(const std::vector<Measurement>& measurements) {
  std::map<SubjectKind, std::vector<double>> figures;
  for (const Measurement& m : measurements) {
    if (m.valid()) figures[m.subject].push_back(m.samples_per_cpu_s());
  }
  const double reference = median_of(figures[SubjectKind::prometheus]);
  std::string text = fmt::format("{:<18} {:>4} {:>9} {:>9} {:>9} {:>8}\n", "M samples/CPU-s", "runs", "min",
                                 "median", "max", "ratio");
  for (const auto& [kind, values] : figures) {
    if (!values.empty()) text += row(name_of(kind), values, reference);
  }
  return text;
}

}  // namespace tideover::bench
