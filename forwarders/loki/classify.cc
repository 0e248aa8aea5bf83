#include "forwarders/loki/classify.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "forwarders/answers.h"
#include "forwarders/loki/named_entries.h"
#include "forwarders/loki/refusal_words.h"
#include "forwarders/loki/sent.h"

namespace tideover::loki {
namespace {

using forward::Action;
using forward::History;
using forward::Sent;
using forward::Verdict;
using wal::Reason;

// By then the gaps between them were so long that any bucket is full.
constexpr std::uint32_t kRetriesForBurst = 8;

Verdict make(Action action, Reason reason, const Result<http::Response>& answer) {
  Verdict verdict;
  verdict.action = action;
  verdict.reason = reason;
  verdict.sentence = forward::sentence_of(answer);
  return verdict;
}

// In the order in which they are settled when an answer has several; those that time or an operator may lift
// come last.
struct Sort {
  Action action;
  Reason reason;

  bool operator==(const Sort&) const = default;
};
constexpr std::array<Sort, 5> kSorts{{{Action::bisect, Reason::out_of_bounds},
                                      {Action::bisect, Reason::too_large},
                                      {Action::bisect, Reason::bad_request},
                                      {Action::park, Reason::out_of_bounds},
                                      {Action::park, Reason::bad_request}}};

Sort sort_of(Cause cause) {
  switch (cause) {
    case Cause::too_old: return {Action::bisect, Reason::out_of_bounds};
    case Cause::too_new: return {Action::park, Reason::out_of_bounds};
    case Cause::line_size:
    case Cause::metadata_size:
    case Cause::metadata_count: return {Action::bisect, Reason::too_large};
    // Whoever switches metadata off, or asks for labels, refuses nearly everything: that is for a person.
    case Cause::metadata_off:
    case Cause::required_labels: return {Action::park, Reason::bad_request};
    case Cause::labels:
    case Cause::unparsable:
    case Cause::behind:
    case Cause::stream_rate:
    case Cause::unknown: break;
  }
  return {Action::bisect, Reason::bad_request};
}

// An item that stands alone is named by that.
bool alone(const SentPush& push) {
  return push.streams.size() == 1 && push.streams.front().last - push.streams.front().first == 1;
}

// Words that nobody knows are never final in a side lane.
Verdict not_understood(const Result<http::Response>& answer, const History& history) {
  const bool keeps = history.side && !history.divisible;
  return make(keeps ? Action::park : Action::bisect, Reason::bad_request, answer);
}

// By the distributor: every entry that it refused is named.
Verdict refused_entries(const SentPush& push, std::span<const Clause> clauses,
                        const Result<http::Response>& answer, const History& history) {
  const auto* sort = std::find_if(kSorts.begin(), kSorts.end(), [clauses](const Sort& candidate) {
    return std::any_of(clauses.begin(), clauses.end(),
                       [&candidate](const Clause& clause) { return sort_of(clause.cause) == candidate; });
  });
  Verdict verdict = make(sort->action, sort->reason, answer);
  verdict.understood = true;
  // A stream whose ingestion is blocked is thrown away, too, and not spoken of where anything else is: what
  // stands beside the stream that is named may be gone.
  verdict.rest_stored = push.streams.size() == 1;
  bool named = true;
  for (const Clause& clause : clauses) {
    if (clause.cause == Cause::unparsable) verdict.rest_stored = false;
    if (sort_of(clause.cause) != *sort) {
      verdict.rest_stored = false;
      continue;
    }
    const NamedEntries entries = entries_of(push, clause);
    named = named && entries;
    if (entries) verdict.named.insert(verdict.named.end(), entries->begin(), entries->end());
  }
  if (named) return verdict;
  verdict.named.clear();
  // What waits is looked for, too, so that the others do not wait with it.
  if (history.divisible && !alone(push)) verdict.action = Action::bisect;
  return verdict;
}

// By an ingester, for the order in its stream.
Verdict behind(const SentPush& push, const StreamRefusal& refusal, const Result<http::Response>& answer,
               const History& history) {
  Verdict verdict = make(Action::bisect, Reason::out_of_order, answer);
  verdict.understood = true;
  verdict.rest_stored = speaks_of_whole_push(push, refusal);
  if (auto named = ignored_entries(push, refusal)) verdict.named = *std::move(named);
  // A stream has one writer, and nothing of it was sent before its turn: only the earlier attempt itself can
  // have moved the window beyond it.
  if (!history.in_doubt || history.overtaken) return verdict;
  verdict.probable_duplicate = true;
  if (verdict.named.empty() && !history.divisible) verdict.action = Action::advance;
  return verdict;
}

Verdict bad_request(const SentPush& push, const http::Response& response,
                    const Result<http::Response>& answer, const History& history) {
  if (const auto refusal = stream_refusal_of(response.body)) {
    if (refusal->cause() == Cause::behind) return behind(push, *refusal, answer, history);
    const bool known = std::none_of(refusal->listed.begin(), refusal->listed.end(),
                                    [](const auto& entry) { return entry.cause == Cause::unknown; });
    if (!known) return not_understood(answer, history);
    // Some are behind and others too many: each is answered for itself once it stands alone.
    Verdict verdict = make(Action::bisect, Reason::out_of_order, answer);
    verdict.understood = true;
    return verdict;
  }
  const std::vector<Clause> clauses = clauses_of(response.body);
  const bool known = std::none_of(clauses.begin(), clauses.end(),
                                  [](const Clause& clause) { return clause.cause == Cause::unknown; });
  if (known) return refused_entries(push, clauses, answer, history);
  if (speaks_of_size(response.body)) return make(Action::halve, Reason::too_large, answer);
  if (speaks_of_tenant(response.body)) return make(Action::pause, Reason::bad_request, answer);
  return not_understood(answer, history);
}

std::uint64_t bytes_of(const SentPush& push) {
  std::uint64_t bytes = 0;
  for (const StreamPart& part : push.streams)
    for (std::size_t i = part.first; i < part.last; ++i)
      bytes += part.stream->entries[i].line.size() + part.stream->entries[i].metadata.size();
  return bytes;
}

Verdict retry(const http::Response& response, const Result<http::Response>& answer) {
  Verdict verdict = make(Action::retry, Reason::bad_request, answer);
  verdict.retry_after = forward::retry_after(response.headers);
  return verdict;
}

// Nothing of it is stored. More than the tenant may send in a second is sent in parts at once; what is less
// waits for the bucket.
Verdict tenant_rate(const TenantRate& rate, const http::Response& response,
                    const Result<http::Response>& answer, const History& history, std::uint32_t retries) {
  const bool much = rate.limit > 0 && rate.bytes > rate.limit;
  const bool hopeless = retries >= kRetriesForBurst;
  if (history.divisible ? !much && !hopeless : !much || !hopeless) return retry(response, answer);
  Verdict verdict = make(Action::halve, Reason::too_large, answer);
  verdict.understood = true;
  return verdict;
}

Verdict stream_rate(const SentPush& push, const StreamRefusal& refusal, const Result<http::Response>& answer,
                    const History& history) {
  const bool too_much = refusal.rate_limit > 0 && bytes_of(push) > refusal.rate_limit;
  const bool whole = push.streams.size() == 1 && refusal.ignored == refusal.total;
  if (history.divisible && whole && (too_much || push.retries >= kRetriesForBurst))
    return make(Action::halve, Reason::too_large, answer);
  Verdict verdict = make(Action::park, Reason::bad_request, answer);
  verdict.rest_stored = speaks_of_whole_push(push, refusal);
  if (auto named = waiting_entries(push, refusal)) verdict.named = *std::move(named);
  return verdict;
}

Verdict too_many(const SentPush& push, const http::Response& response, const Result<http::Response>& answer,
                 const History& history) {
  if (const auto rate = tenant_rate_of(response.body))
    return tenant_rate(*rate, response, answer, history, push.retries);
  if (const auto refusal = stream_refusal_of(response.body))
    return stream_rate(push, *refusal, answer, history);
  if (const auto limit = stream_limit_of(response.body)) {
    Verdict verdict = make(Action::park, Reason::bad_request, answer);
    if (auto named = stream_entries(push, limit->stream)) verdict.named = *std::move(named);
    return verdict;
  }
  return retry(response, answer);
}

}  // namespace

Verdict classify(const Sent& sent, const Result<http::Response>& answer, const History& history) {
  const SentPush& push = push_of(sent);
  if (answer.has_value()) {
    const http::Response& response = *answer;
    if (response.status == 204) return make(Action::advance, Reason::bad_request, answer);
    if (response.status == 429) return too_many(push, response, answer, history);
    if (response.status >= 500 && speaks_of_size(response.body))
      return make(Action::halve, Reason::too_large, answer);
  }
  if (auto verdict = forward::common_verdict(answer)) return *std::move(verdict);
  switch (answer->status) {
    case 400: return bad_request(push, *answer, answer, history);
    case 409:
    case 422: return not_understood(answer, history);
  }
  // Any other 2xx, 260 above all: ingestion is blocked, and what was sent is thrown away. 415: no receiver of
  // this kind says so.
  return make(Action::pause, Reason::unsupported, answer);
}

}  // namespace tideover::loki
