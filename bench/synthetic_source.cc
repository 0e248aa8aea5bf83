#include <bit>
#include <fmt/format.h>

#include "bench/source.h"

namespace tideover::bench {
namespace {

// The first labels are shared by all series of a "target" of 500, as scraping makes them; the last tells
// series apart.
Labels labels_of(std::uint32_t series, const SyntheticOptions& options) {
  Labels labels{{"__name__", fmt::format("synthetic_metric_{}_total", series % 500)}};
  for (std::uint32_t i = 1; i < options.labels; ++i) {
    std::string name = fmt::format("label_{:02}", i);
    const std::uint32_t number = i + 1 == options.labels ? series : series / 500;
    const std::size_t room = options.label_bytes > name.size() ? options.label_bytes - name.size() : 1;
    labels.emplace_back(std::move(name), fmt::format("{:x>{}}", number, room));
  }
  return labels;
}

}  // namespace

Source synthetic_source(const SyntheticOptions& options) {
  Source source{.name = "synthetic", .ticks = options.rounds};
  source.churning = static_cast<std::uint32_t>(options.churn * options.series);
  for (std::uint32_t i = 0; i < options.series; ++i) source.series.push_back(labels_of(i, options));
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (std::uint32_t i = 0; i < options.series; ++i) {
      // A third each of constants, counters and noise.
      const std::uint64_t noise = (std::uint64_t{i} * options.rounds + round + 1) * 0x9e3779b97f4a7c15;
      const double value = i % 3 == 0   ? i
                           : i % 3 == 1 ? i * 1000.0 + round * (1 + i % 17)
                                        : static_cast<double>(noise >> 11) / static_cast<double>(1ULL << 53);
      source.samples.push_back({i, round, std::bit_cast<std::uint64_t>(value)});
    }
  }
  return source;
}

}  // namespace tideover::bench
