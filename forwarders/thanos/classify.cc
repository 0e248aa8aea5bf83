#include "forwarders/thanos/classify.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "forwarders/answers.h"
#include "forwarders/remote_write/remote_write.h"

namespace tideover::thanos {
namespace {

using forward::Action;
using forward::History;
using forward::Loss;
using forward::Sent;
using forward::Verdict;
using wal::Reason;

// Prometheus storage/interface.go, Thanos pkg/store/labelpb/label.go.
constexpr std::string_view kOutOfOrder = "out of order sample";
constexpr std::string_view kDuplicate = "duplicate sample for timestamp";
constexpr std::string_view kOutOfBounds = "out of bounds";
constexpr std::string_view kTooOld = "too old sample";

std::uint64_t mentions(std::string_view text, std::string_view what) {
  std::uint64_t n = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

// "add N samples: CAUSE" at the front of `text`.
void count_clause(std::string_view text, Refusals& found) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{}) return;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const auto take = [&text](std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  };
  if (take(" exemplars: ")) {
    found.exemplars += n;
  } else if (take(" series: ")) {
    found.labels += n;
  } else if (take(" samples: ")) {
    if (text.starts_with(kOutOfOrder))
      found.out_of_order += n;
    else if (text.starts_with(kDuplicate))
      found.duplicate += n;
    else if (text.starts_with(kOutOfBounds) || text.starts_with(kTooOld))
      found.window += n;
    else
      return;
  } else {
    return;
  }
  found.counted = true;
}

Verdict make(Action action, Reason reason, const Result<http::Response>& answer) {
  Verdict verdict;
  verdict.action = action;
  verdict.reason = reason;
  verdict.sentence = forward::sentence_of(answer);
  return verdict;
}

// What the text names, as losses of at most `units`; with several receivers behind one, each may count the
// same sample. `exactly`: the number refused is known from elsewhere, and the text is only their reasons.
std::vector<Loss> losses_of(const Refusals& found, std::uint64_t units,
                            std::optional<std::uint64_t> exactly) {
  std::uint64_t left = exactly.value_or(std::min(units, found.samples()));
  std::vector<Loss> losses;
  const auto add = [&](Reason reason, std::uint64_t n) {
    n = std::min(n, left);
    if (n == 0) return;
    losses.push_back({reason, n});
    left -= n;
  };
  add(Reason::out_of_order, found.out_of_order);
  add(Reason::duplicate, found.duplicate);
  add(Reason::out_of_bounds, found.window);
  add(Reason::bad_request, found.labels);
  if (left > 0 && exactly) {
    if (losses.empty())
      losses.push_back({Reason::bad_request, left});
    else
      losses.back().units += left;
  }
  return losses;
}

Reason main_reason(const Refusals& found) {
  if (found.window > 0) return Reason::out_of_bounds;
  if (found.out_of_order > 0) return Reason::out_of_order;
  if (found.duplicate > 0) return Reason::duplicate;
  return Reason::bad_request;
}

struct Written {
  bool said = false;
  std::uint64_t units = 0;  // samples and histograms
};

Written written_of(const http::Headers& headers) {
  Written written;
  for (const std::string_view kind : {"Samples", "Histograms", "Exemplars"}) {
    const std::string name = "X-Prometheus-Remote-Write-" + std::string(kind) + "-Written";
    if (!headers.has(name)) continue;
    written.said = true;
    const std::string_view text = headers.find(name);
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    if (whole && kind != "Exemplars") written.units += n;
  }
  return written;
}

bool is_v2(const Sent& sent) {
  return sent.encoding == static_cast<std::uint16_t>(remote_write::Version::v2);
}

Verdict accepted(const Sent& sent, const http::Response& response, const Result<http::Response>& answer,
                 const History& history) {
  Verdict verdict = make(Action::advance, Reason::bad_request, answer);
  if (!is_v2(sent) || sent.units == 0) return verdict;
  const Written written = written_of(response.headers);
  // Thanos 0.42 takes a 2.0 body for an empty 1.0 one: 200, no header, nothing stored.
  if (!written.said || (written.units == 0 && !history.version_works)) {
    verdict.action = Action::downgrade;
    verdict.reason = Reason::unsupported;
    return verdict;
  }
  verdict.under_reported = sent.units - std::min(sent.units, written.units);
  return verdict;
}

// The refusal took only a part: `refused` units of it, the rest is stored.
Verdict refused_in_part(const Sent& sent, const Refusals& found, std::optional<std::uint64_t> exactly,
                        const Result<http::Response>& answer, const History& history) {
  Verdict verdict = make(Action::advance, main_reason(found), answer);
  if (found.window > 0) {
    // A few bad items among many are worth looking for, or every batch with a stale exporter in it would be
    // parked whole. Most of it is not: re-sending what is stored does no harm once the window opens.
    const bool few = (found.counted || exactly) && exactly.value_or(found.window) * 2 < sent.units;
    verdict.action = few && history.divisible && !history.parked ? Action::bisect : Action::park;
    verdict.rest_stored = true;
    return verdict;
  }
  if (history.overtaken && found.out_of_order > 0) {
    // The same window, seen by a series that has newer samples.
    verdict.action = history.divisible && !history.parked ? Action::bisect : Action::park;
    verdict.rest_stored = true;
    return verdict;
  }
  if (history.in_doubt && (found.labels == 0 || found.out_of_order + found.duplicate > 0)) {
    verdict.probable_duplicate = true;
    Refusals malformed;  // whatever arrived before, this did not
    malformed.labels = found.labels;
    verdict.losses = losses_of(malformed, sent.units, std::nullopt);
    return verdict;
  }
  verdict.losses = losses_of(found, sent.units, exactly);
  return verdict;
}

Verdict conflict(const Sent& sent, const http::Response& response, const Result<http::Response>& answer,
                 const History& history) {
  const Refusals found = refusals_of(response.body);
  // No count, no proof that anything was stored.
  if (found.counted) return refused_in_part(sent, found, std::nullopt, answer, history);
  return refused_in_part(sent, found, sent.units, answer, history);
}

Verdict bad_request(const Sent& sent, const http::Response& response, const Result<http::Response>& answer,
                    const History& history) {
  const Refusals found = refusals_of(response.body);
  const Written written = written_of(response.headers);
  if (is_v2(sent) && written.units > 0) {
    // Where the text names more than the counts leave out, the counts are wrong: what is named was refused.
    const std::uint64_t refused =
        std::max(sent.units - std::min(sent.units, written.units), std::min(sent.units, found.samples()));
    History known = history;
    known.in_doubt = history.in_doubt && found.out_of_order + found.duplicate > 0;
    return refused_in_part(sent, found, refused, answer, known);
  }
  // Nothing is stored. The text speaks of one item, and says nothing of the others.
  Verdict verdict = make(Action::bisect, main_reason(found), answer);
  const bool window = found.window > 0 || (history.overtaken && found.out_of_order > 0);
  if (window && (history.parked || !history.divisible)) verdict.action = Action::park;
  const bool order = verdict.reason == Reason::out_of_order || verdict.reason == Reason::duplicate;
  if (verdict.action == Action::bisect && order && !history.divisible && history.in_doubt) {
    verdict.action = Action::advance;
    verdict.probable_duplicate = true;
  }
  return verdict;
}

// 1.0 is what every receiver speaks: one that refuses it is misconfigured, or something in front of it is,
// and that must not cost any data.
Verdict unsupported(const Sent& sent, const Result<http::Response>& answer) {
  return make(is_v2(sent) ? Action::downgrade : Action::pause, Reason::unsupported, answer);
}

}  // namespace

Refusals refusals_of(std::string_view text) {
  constexpr std::string_view kAdd = "add ";
  Refusals found;
  for (std::size_t at = text.find(kAdd); at != text.npos; at = text.find(kAdd, at + kAdd.size()))
    count_clause(text.substr(at + kAdd.size()), found);
  if (found.counted) return found;
  found.out_of_order = mentions(text, kOutOfOrder);
  found.duplicate = mentions(text, kDuplicate);
  found.window = mentions(text, kOutOfBounds) + mentions(text, kTooOld);
  return found;
}

Verdict classify(const Sent& sent, const Result<http::Response>& answer, const History& history) {
  if (auto verdict = forward::common_verdict(answer)) return *std::move(verdict);
  const http::Response& response = *answer;
  switch (response.status) {
    case 409: return conflict(sent, response, answer, history);
    case 415: return unsupported(sent, answer);
    case 400:
    case 422: return bad_request(sent, response, answer, history);
  }
  return accepted(sent, response, answer, history);
}

}  // namespace tideover::thanos
