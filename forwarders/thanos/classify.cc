#include "forwarders/thanos/classify.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "forwarders/answers.h"
#include "forwarders/remote_write/remote_write.h"
#include "forwarders/thanos/refusal_words.h"

namespace tideover::thanos {
namespace {

using forward::Action;
using forward::History;
using forward::Loss;
using forward::Sent;
using forward::Verdict;
using wal::Reason;

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
  add(Reason::bad_request, found.labels + found.malformed);
  if (left > 0 && exactly) {
    if (losses.empty())
      losses.push_back({Reason::bad_request, left});
    else
      losses.back().units += left;
  }
  return losses;
}

// Time or an operator may lift it; `overtaken`: a refusal for its order is the same window, seen by a series
// that has newer samples.
std::uint64_t lifted_some_day(const Refusals& found, const History& history) {
  return found.window + found.limit + (history.overtaken ? found.out_of_order : 0);
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

bool is_v2(const Sent& sent) { return version_of(sent) == remote_write::Version::v2; }

Verdict accepted(const Sent& sent, const http::Response& response, const Result<http::Response>& answer,
                 const Versions& versions) {
  Verdict verdict = make(Action::advance, Reason::bad_request, answer);
  if (!is_v2(sent) || sent.units == 0) return verdict;
  const Written written = written_of(response.headers);
  // Thanos 0.42 takes a 2.0 body for an empty 1.0 one: 200, no header, nothing stored.
  if (!written.said || (written.units == 0 && !versions.takes_v2)) {
    verdict.action = Action::downgrade;
    verdict.reason = Reason::unsupported;
    return verdict;
  }
  verdict.beside.under_reported = sent.units - std::min(sent.units, written.units);
  return verdict;
}

// Whether an item that is refused alone is given up for it is decided by who knows whether others pass; a
// side lane gives up nothing for words that it does not know.
Verdict not_understood(const Result<http::Response>& answer, const History& history) {
  const bool keeps = history.side && !history.divisible;
  return make(keeps ? Action::park : Action::bisect, Reason::bad_request, answer);
}

// The refusal took only a part: `refused` units of it, the rest is stored.
Verdict refused_in_part(const Sent& sent, const Refusals& found, std::optional<std::uint64_t> exactly,
                        const Result<http::Response>& answer, const History& history) {
  Verdict verdict = make(Action::advance, main_reason(found), answer);
  if (lifted_some_day(found, history) > 0) {
    // A few bad items among many are worth looking for, or every batch with a stale exporter in it would be
    // parked whole. Most of it is not: re-sending what is stored does no harm once the window opens. What was
    // set aside before is looked through whenever some of it passes.
    const std::uint64_t refused = exactly.value_or(lifted_some_day(found, history));
    const std::uint64_t few = history.side || history.overtaken ? sent.units : (sent.units + 1) / 2;
    const bool known = found.counted || exactly;
    verdict.action = history.divisible && known && refused < few ? Action::bisect : Action::park;
    verdict.rest_stored = true;
    return verdict;
  }
  if (history.in_doubt && (found.labels + found.malformed == 0 || found.out_of_order + found.duplicate > 0)) {
    verdict.probable_duplicate = true;
    Refusals final;  // whatever arrived before, this did not
    final.labels = found.labels + found.malformed;
    verdict.losses = losses_of(final, sent.units, std::nullopt);
    return verdict;
  }
  verdict.losses = losses_of(found, sent.units, exactly);
  return verdict;
}

Verdict conflict(const Sent& sent, const http::Response& response, const Result<http::Response>& answer,
                 const History& history) {
  const Refusals found = refusals_of(response.body);
  if (found.counted) return refused_in_part(sent, found, std::nullopt, answer, history);
  if (!found.understood()) {
    Verdict verdict = not_understood(answer, history);
    verdict.rest_stored = true;  // as far as 409 means what it means elsewhere
    return verdict;
  }
  // No count, no proof that anything was stored.
  return refused_in_part(sent, found, sent.units, answer, history);
}

// A refusal of 2.0 whose counts say that some was written; nullopt: they are not to be believed.
std::optional<Verdict> written_in_part(const Sent& sent, const Refusals& found, std::uint64_t written,
                                       const Result<http::Response>& answer, const History& history) {
  // Where the text names more than the counts leave out, the counts are wrong: what is named was refused.
  const std::uint64_t refused =
      std::max(sent.units - std::min(sent.units, written), std::min(sent.units, found.samples()));
  // Mimir counts what it was sent.
  if (refused == 0 && found.exemplars == 0) return std::nullopt;
  if (history.side && !found.understood()) return std::nullopt;
  History known = history;
  known.in_doubt = history.in_doubt && found.out_of_order + found.duplicate > 0;
  return refused_in_part(sent, found, refused, answer, known);
}

Verdict bad_request(const Sent& sent, const http::Response& response, const Result<http::Response>& answer,
                    const History& history) {
  const Refusals found = refusals_of(response.body);
  const Written written = written_of(response.headers);
  const bool some_written = is_v2(sent) && written.units > 0;
  if (some_written)
    if (auto verdict = written_in_part(sent, found, written.units, answer, history))
      return *std::move(verdict);
  if (!found.understood()) {
    Verdict verdict = not_understood(answer, history);
    verdict.rest_stored = some_written;
    return verdict;
  }
  // Nothing is stored. The text speaks of one item, and says nothing of the others.
  Verdict verdict = make(Action::bisect, main_reason(found), answer);
  if (lifted_some_day(found, history) > 0) {
    if (!history.divisible) verdict.action = Action::park;
    return verdict;
  }
  const std::uint64_t order = found.out_of_order + found.duplicate;
  verdict.understood = order + found.labels + found.malformed > 0;
  if (order > 0 && !history.divisible && history.in_doubt) {
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

Verdict classify(const Sent& sent, const Result<http::Response>& answer, const History& history,
                 const Versions& versions) {
  const bool window = answer.has_value() && answer->status == 500 && begins_with_window(answer->body);
  if (window) return bad_request(sent, *answer, answer, history);
  if (auto verdict = forward::common_verdict(answer)) return *std::move(verdict);
  const http::Response& response = *answer;
  switch (response.status) {
    case 409: return conflict(sent, response, answer, history);
    case 415: return unsupported(sent, answer);
    case 400:
    case 422: return bad_request(sent, response, answer, history);
  }
  return accepted(sent, response, answer, versions);
}

}  // namespace tideover::thanos
