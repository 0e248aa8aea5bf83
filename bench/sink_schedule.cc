#include "bench/sink_schedule.h"

#include <charconv>
#include <string_view>

namespace tideover::bench {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<SinkSetting> setting_of(std::string_view text) {
  SinkSetting setting;
  if (text == "off") {
    setting.refuses = true;
  } else if (text.starts_with("slow=")) {
    const auto delay_ms = number(text.substr(5));
    if (!delay_ms) return std::nullopt;
    setting.delay_ms = *delay_ms;
  } else {
    const auto status = number(text);
    if (!status || *status < 400 || *status > 599) return std::nullopt;
    setting.status = *status;
  }
  return setting;
}

}  // namespace

Result<SinkPhase> parse_sink_phase(const std::string& text) {
  const auto wrong = [&] {
    return fail(Errc::bad_input, text + " is no phase of the sink such as off:10..40, 503:10.. or slow=250");
  };
  SinkPhase phase;
  const std::string_view whole = text;
  const std::size_t colon = whole.find(':');
  const auto setting = setting_of(whole.substr(0, colon));
  if (!setting) return wrong();
  phase.setting = *setting;
  if (colon == whole.npos) return phase;
  const std::string_view range = whole.substr(colon + 1);
  const std::size_t dots = range.find("..");
  if (dots == range.npos) return wrong();
  const auto from = number(range.substr(0, dots));
  if (!from) return wrong();
  phase.from = std::chrono::seconds(*from);
  if (dots + 2 == range.size()) return phase;
  const auto until = number(range.substr(dots + 2));
  if (!until || *until <= *from) return wrong();
  phase.until = std::chrono::seconds(*until);
  return phase;
}

SinkSetting setting_at(const std::vector<SinkPhase>& phases, std::chrono::steady_clock::duration since_start,
                       bool loading) {
  for (const SinkPhase& phase : phases) {
    if (since_start >= phase.from && (phase.until ? since_start < *phase.until : loading))
      return phase.setting;
  }
  return {};
}

}  // namespace tideover::bench
