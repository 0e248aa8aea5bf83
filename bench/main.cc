// tideover-bench: how many samples an agent takes in, keeps and forwards for one second of CPU
// (bench/README.md).
#include <cstdio>
#include <fmt/format.h>

#include "bench/disk.h"
#include "bench/options.h"
#include "bench/report.h"
#include "bench/run.h"
#include "bench/source.h"
#include "bench/stream.h"

namespace tideover::bench {
namespace {

Result<Source> source_of(const Options& options) {
  if (options.synthetic) return synthetic_source(options.synthetic_source);
  return capture_source(options.stream.version);
}

Result<bool> measure(const Options& options) {
  if (const auto checked = must_be_on_disk(options.run.directory); checked.has_error())
    return checked.error();
  const auto source = source_of(options);
  if (source.has_error()) return source.error();
  auto stream = prepare(*source, options.stream);
  if (stream.has_error()) return stream.error();

  const Setting setting{options.scenario, source->name, *stream, options.run};
  bool all_valid = true;
  for (int round = 0; round < options.rounds; ++round) {
    for (const SubjectKind subject : options.subjects) {
      const auto measurement = run(subject, *stream, options.run);
      if (measurement.has_error()) return measurement.error();
      fmt::print("{}\n", to_json(*measurement, setting));
      std::fflush(stdout);
      fmt::print(stderr, "{}\n", one_line(*measurement));
      all_valid = all_valid && measurement->valid();
    }
  }
  return all_valid;
}

}  // namespace
}  // namespace tideover::bench

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto options = tideover::bench::parse(argc, argv, exit_code);
  if (!options) return exit_code;
  const auto all_valid = tideover::bench::measure(*options);
  if (all_valid.has_error()) {
    fmt::print(stderr, "tideover-bench: {}\n", all_valid.error().detail);
    return 1;
  }
  return *all_valid ? 0 : 1;
}
