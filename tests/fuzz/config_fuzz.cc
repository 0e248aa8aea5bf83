// Configuration text: either a configuration or faults with their places and a report that a terminal can
// show, in bounded work; and whatever is accepted can be run with.
#include <algorithm>
#include <cstdint>

#include "agent/config/load.h"
#include "agent/settings.h"
#include "wal/base/invariant.h"
#include "wal/base/utf8.h"

namespace tideover::config {
namespace {

constexpr std::size_t kReportBytesMax = 1 << 20;

std::optional<std::string> variable(const std::string& name) {
  if (name == "EMPTY") return "";
  if (name == "NESTED") return "${NAME}";
  if (name == "NAME") return "app1";
  return std::nullopt;
}

void check_settings(const Config& config) {
  for (const std::uint64_t memory : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{160} << 20}) {
    const Settings settings =
        derive(config, {.file_system_bytes = std::uint64_t{40} << 30, .memory_limit_bytes = memory});
    invariant(settings.intake_server.inflight_bytes >= settings.intake_server.body_bytes,
              "a body fits its budget");
    invariant(settings.intake_server.body_bytes > 0 && settings.memtable_bytes > 0, "buffers have a size");
    invariant(settings.metrics.parked_max_bytes <= settings.metrics.max_bytes,
              "what is parked has a share of the budget");
  }
}

void check_config(const Config& config) {
  invariant(!config.data_dir.empty() && !config.node.empty(), "what is required is there");
  if (config.metrics) {
    const auto& destinations = config.metrics->destinations;
    for (const Destination& destination : destinations) {
      invariant(complain_destination_name(destination.name).empty(), "a destination has a legal name");
      invariant(parse_url(destination.url.text).has_value(), "a destination has a legal address");
      const auto same = [&](const Destination& other) { return other.name == destination.name; };
      invariant(std::ranges::count_if(destinations, same) == 1, "a cursor belongs to one destination");
    }
  }
  check_settings(config);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

void check_load(std::string_view text, const LoadOptions& options) {
  const Loaded loaded = parse(text, "tideover.yaml", options);
  invariant(loaded.config.has_value() == loaded.faults.empty(), "either a configuration or faults");
  invariant(loaded.report.empty() == loaded.faults.empty(), "faults are reported");
  invariant(loaded.report.size() <= kReportBytesMax, "a report is bounded");
  invariant(is_utf8(loaded.report), "a report is text");
  const auto control = [](unsigned char c) { return (c < ' ' && c != '\n' && c != '\t') || c == 0x7f; };
  invariant(std::ranges::none_of(loaded.report, control), "a report does not steer the terminal");
  const auto lines = 2 + std::ranges::count(text, '\n') + std::ranges::count(text, '\r');
  for (const Fault& fault : loaded.faults) {
    invariant(!fault.sentence.empty(), "a fault has words");
    invariant(fault.place.line >= 0 && fault.place.line <= lines, "a fault lies in the file");
  }
  if (loaded.config) check_config(*loaded.config);
}

template <class T>
void check_value(Result<T> (*read)(std::string_view), std::string_view text) {
  const Result<T> value = read(text);
  if (!value) return;
  const Result<T> again = read(print(*value));
  invariant(again.has_value() && *again == *value, "a value that is printed reads the same");
}

}  // namespace
}  // namespace tideover::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideover::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_load(text, {.expand_env = false, .environment = variable, .host_name = "node1"});
  check_load(text, {.expand_env = true, .environment = variable, .host_name = "node1"});
  if (size > 64) return 0;
  check_value(parse_duration, text);
  check_value(parse_size, text);
  check_value(parse_percentage, text);
  check_value(parse_address, text);
  return 0;
}
