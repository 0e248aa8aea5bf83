#include "tests/support/receiver_answers.h"

#include <fmt/format.h>
#include <string_view>
#include <utility>
#include <vector>

namespace tideover::sim {
namespace {

std::string_view words(Refused why) {
  switch (why) {
    case Refused::out_of_bounds: return "out of bounds";
    case Refused::too_old: return "too old sample";
    case Refused::out_of_order: return "out of order sample";
    case Refused::duplicate: return "duplicate sample for timestamp";
    case Refused::labels: return "out of order labels";
    case Refused::too_large: return "too large";
  }
  return {};
}

// The first fault in the order of the list stands for the first in the message.
http::Response first_fault(const Tally& tally) {
  for (std::size_t i = 0; i < kRefusals; ++i)
    if (tally.refused[i] > 0) return plain(400, std::string(words(static_cast<Refused>(i))) + "\n");
  return plain(200, "");
}

}  // namespace

http::Response plain(int status, std::string text) {
  return {
      .status = status, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = std::move(text)};
}

http::Response answer_of_thanos(const Tally& tally) {
  if (tally.total_refused() == 0) return plain(200, "");
  std::vector<std::string> errors;
  for (std::size_t i = 0; i < kRefusals; ++i) {
    const auto why = static_cast<Refused>(i);
    if (tally.refused[i] == 0) continue;
    const std::string_view unit = why == Refused::labels ? "series" : "samples";
    errors.push_back(fmt::format("add {} {}: {}", tally.refused[i], unit, words(why)));
  }
  std::string text =
      errors.size() == 1 ? errors[0] : fmt::format("{} errors: {}", errors.size(), fmt::join(errors, "; "));
  return plain(409, "store locally for endpoint 127.0.0.1:10901: writing locally: " + text + "\n");
}

http::Response answer_of_prometheus(const Tally& tally, bool version2) {
  if (!version2) return tally.total_refused() == 0 ? plain(204, "") : first_fault(tally);
  // One line for each refused sample (storage/remote/write_handler.go, badRequestErrs).
  std::string lines;
  for (std::size_t i = 0; i < kRefusals; ++i)
    for (std::uint64_t n = 0; n < tally.refused[i]; ++n)
      lines += fmt::format("{} for series {{}}\n", words(static_cast<Refused>(i)));
  http::Response response = lines.empty() ? plain(204, "") : plain(400, std::move(lines));
  const std::array counts{tally.written_floats, tally.written_histograms, tally.written_exemplars};
  for (std::size_t i = 0; i < counts.size(); ++i)
    response.headers.add(kWrittenHeaders[i], std::to_string(counts[i]));
  return response;
}

http::Response answer_of_cortex(const Tally& tally) { return first_fault(tally); }

}  // namespace tideover::sim
