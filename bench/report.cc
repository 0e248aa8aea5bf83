#include "bench/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fmt/format.h>
#include <map>

namespace tideover::bench {
namespace {

double quantile_ms(const std::vector<float>& sorted_s, double q) {
  if (sorted_s.empty()) return 0;
  const double rank = std::ceil(q * static_cast<double>(sorted_s.size()));
  const std::size_t index = std::min(sorted_s.size() - 1, static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
  return static_cast<double>(sorted_s[index]) * 1e3;
}

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

std::string list_of(const std::vector<std::string>& sentences) {
  std::string list;
  for (const std::string& sentence : sentences) {
    list += (list.empty() ? "" : ", ") + boost::json::serialize(boost::json::string(sentence));
  }
  return list;
}

}  // namespace

// Written by hand: Boost.JSON prints 1234.5 as 1.2345E3.
std::string to_json(const Measurement& m, const Stream& stream, const std::string& source) {
  const auto& latencies = m.load.latencies_s;
  const auto samples = static_cast<double>(m.load.accepted_samples);
  std::string text =
      fmt::format(R"({{"subject": "{}", "valid": {}, "faults": [{}], "samples_per_cpu_second": {:.0f}, )"
                  R"("cpu_user_s": {:.2f}, "cpu_system_s": {:.2f}, "cpu_life_s": {:.2f}, )",
                  name_of(m.subject), m.valid(), list_of(m.faults), m.samples_per_cpu_s(), m.usage.user_s,
                  m.usage.system_s, m.life_cpu_s);
  text +=
      fmt::format(R"("stream": {{"source": "{}", "remote_write": {}, "series": {}, "connections": {}, )"
                  R"("samples_per_request": {:.1f}, "bytes_per_sample": {:.2f}}}, )",
                  source, stream.version == remote_write::Version::v1 ? 1 : 2, stream.series_hashes.size(),
                  stream.by_connection.size(), per(static_cast<double>(stream.samples), stream.requests),
                  per(static_cast<double>(stream.bytes), stream.samples));
  text += fmt::format(
      R"("accepted": {{"samples": {}, "requests": {}, "bytes": {}, "refused_503": {}, "seconds": {:.3f}, )"
      R"("samples_per_second": {:.0f}}}, )",
      m.load.accepted_samples, m.load.accepted_requests, m.load.accepted_bytes, m.load.refused,
      m.load.seconds, samples / m.load.seconds);
  text +=
      fmt::format(R"("acknowledged_ms": {{"p50": {:.2f}, "p90": {:.2f}, "p99": {:.2f}, "max": {:.2f}}}, )",
                  quantile_ms(latencies, 0.5), quantile_ms(latencies, 0.9), quantile_ms(latencies, 0.99),
                  quantile_ms(latencies, 1));
  text += fmt::format(
      R"("forwarded": {{"samples": {}, "requests": {}, "bytes": {}, "samples_per_request": {:.1f}, )"
      R"("drain_seconds": {:.3f}}}, )",
      m.sink_samples, m.sink_requests, m.sink_bytes,
      per(static_cast<double>(m.sink_samples), m.sink_requests), m.drain_s);
  text += fmt::format(
      R"("rss_peak_mib": {:.1f}, "written_bytes_per_sample": {:.2f}, "context_switches": {}}})",
      static_cast<double>(m.usage.rss_peak_bytes) / (1 << 20),
      per(static_cast<double>(m.usage.written_bytes), m.load.accepted_samples), m.usage.context_switches);
  return text;
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
