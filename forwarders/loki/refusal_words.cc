#include "forwarders/loki/refusal_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "forwarders/loki/go_time.h"

namespace tideover::loki {
namespace {

struct Word {
  std::string_view words;  // lower case: versions differ in their first letter
  Cause cause;
};

// pkg/validation/validate.go; the last three also pkg/loghttp/push and logql/syntax.
constexpr std::array<Word, 14> kClauseWords{{
    {"timestamp too old", Cause::too_old},
    {"timestamp too new", Cause::too_new},
    {"max entry size", Cause::line_size},
    {"structured metadata too large", Cause::metadata_size},
    {"too many structured metadata labels", Cause::metadata_count},
    {"includes structured metadata, but this feature is disallowed", Cause::metadata_off},
    {"label names; limit", Cause::labels},
    {"label name too long", Cause::labels},
    {"label value too long", Cause::labels},
    {"duplicate label name", Cause::labels},
    {"at least one label pair is required", Cause::labels},
    {"missing required labels", Cause::required_labels},
    {"couldn't parse labels", Cause::unparsable},
    {"error parsing labels", Cause::unparsable},
}};

// pkg/chunkenc/interface.go, pkg/validation/validate.go.
constexpr std::array<Word, 3> kIngesterWords{{
    {"entry too far behind", Cause::behind},
    {"entry out of order", Cause::behind},
    {"per stream rate limit exceeded", Cause::stream_rate},
}};

constexpr std::string_view kStreamLimit = "maximum active stream limit exceeded";
constexpr std::string_view kTenantRate = "ingestion rate limit exceeded";
// dskit/user and dskit/tenant.
constexpr std::array<std::string_view, 2> kTenantWords{"org id", "tenant id"};
// pkg/validation/validate.go, http.MaxBytesReader, google.golang.org/grpc.
constexpr std::array<std::string_view, 4> kSizeWords{"request body too large", "message larger than max",
                                                     "message size too large", "request entity too large"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool has_any(std::string_view text, std::span<const std::string_view> words) {
  const std::string small = lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&small](std::string_view word) { return small.find(word) != small.npos; });
}

// Of those that occur, the first in `text`.
Cause cause_of(std::string_view text, std::span<const Word> words) {
  const std::string small = lower(text);
  std::size_t first = small.npos;
  Cause cause = Cause::unknown;
  for (const Word& word : words) {
    const std::size_t at = small.find(word.words);
    if (at >= first) continue;
    first = at;
    cause = word.cause;
  }
  return cause;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<std::uint64_t> take_count(std::string_view& text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return n;
}

// The number behind `words`, in quotes or not.
std::optional<std::uint64_t> count_behind(std::string_view text, std::string_view words) {
  const std::size_t at = text.find(words);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + words.size());
  if (text.starts_with('\'')) text.remove_prefix(1);
  return take_count(text);
}

// Its first stream, and what stands around it: labels may hold any words.
struct Around {
  std::optional<StreamName> stream;
  std::string text;
};

Around around_stream(std::string_view text) {
  Around found;
  const std::size_t at = text.find('{');
  if (at == text.npos) {
    found.text = text;
    return found;
  }
  std::string_view behind = text.substr(at);
  found.stream = StreamName::take(behind);
  found.text = text.substr(0, at);
  found.text += behind;
  return found;
}

Clause clause_of(std::string_view text) {
  Clause clause;
  clause.text = text;
  const Around around = around_stream(text);
  clause.cause = cause_of(around.text, kClauseWords);
  clause.stream = around.stream;
  switch (clause.cause) {
    case Cause::too_old:
    case Cause::too_new: {
      const std::size_t at = around.text.find(": ");
      std::string_view time = std::string_view(around.text).substr(at == around.text.npos ? 0 : at + 2);
      clause.ns = take_go_time(time);
      break;
    }
    case Cause::line_size: clause.size = count_behind(around.text, "with length "); break;
    case Cause::metadata_size:
    case Cause::metadata_count: clause.size = count_behind(around.text, ": "); break;
    default: break;
  }
  return clause;
}

constexpr std::string_view kLike = " errors like: ";

// "3 errors like: " at the front.
std::optional<std::uint64_t> take_times(std::string_view& text) {
  std::string_view rest = text;
  const auto times = take_count(rest);
  if (!times || !take_word(rest, kLike)) return std::nullopt;
  text = rest;
  return times;
}

// Where the next sentence begins, behind "; ".
std::size_t next_clause(std::string_view text) {
  for (std::size_t at = text.find("; "); at != text.npos; at = text.find("; ", at + 2)) {
    std::string_view behind = text.substr(at + 2);
    if (take_times(behind)) return at;
  }
  return text.npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  return text;
}

// "3MB", "512KB", "1.5KiB": rounded down, since it is only ever compared with what may be too much.
std::uint64_t bytes_of(std::string_view text) {
  std::uint64_t n = take_count(text).value_or(0);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    static_cast<void>(take_count(text));
  }
  constexpr std::string_view kUnits = "KMGT";
  const std::size_t unit = text.empty() ? kUnits.npos : kUnits.find(text.front());
  for (std::size_t i = 0; unit != kUnits.npos && i <= unit; ++i) n *= 1000;
  return n;
}

std::uint64_t rate_limit_of(std::string_view text) {
  constexpr std::string_view kLimit = "(limit: ";
  const std::size_t at = text.find(kLimit);
  return at == text.npos ? 0 : bytes_of(text.substr(at + kLimit.size()));
}

}  // namespace

std::vector<Clause> clauses_of(std::string_view text) {
  text = trimmed(text);
  std::vector<Clause> clauses;
  while (true) {
    const auto times = take_times(text);
    const std::size_t end = times ? next_clause(text) : text.npos;
    clauses.push_back(clause_of(text.substr(0, end)));
    clauses.back().times = times.value_or(1);
    if (end == text.npos) return clauses;
    text.remove_prefix(end + 2);
  }
}

Cause StreamRefusal::cause() const {
  if (listed.empty()) return Cause::unknown;
  const Cause first = listed.front().cause;
  const bool same =
      std::all_of(listed.begin(), listed.end(), [first](const Entry& entry) { return entry.cause == first; });
  return same ? first : Cause::unknown;
}

std::optional<StreamRefusal> stream_refusal_of(std::string_view body) {
  constexpr std::string_view kEntry = "entry with timestamp ";
  constexpr std::string_view kReason = " ignored, reason: '";
  constexpr std::string_view kNext = "', entry with timestamp ";
  constexpr std::string_view kUser = "', user '";
  constexpr std::string_view kTotal = "', total ignored: ";
  std::string lines(trimmed(body));
  std::replace(lines.begin(), lines.end(), '\n', ' ');
  std::string_view text = lines;
  StreamRefusal refusal;
  while (take_word(text, kEntry)) {
    const auto ns = take_go_time(text);
    take_word(text, " UTC");
    if (!ns || !take_word(text, kReason)) return std::nullopt;
    const std::size_t next = text.find(kNext);
    const std::size_t end = std::min(next, text.find(kUser));
    if (end == text.npos) return std::nullopt;
    const std::string_view reason = text.substr(0, end);
    refusal.listed.push_back({cause_of(reason, kIngesterWords), *ns});
    if (refusal.listed.back().cause == Cause::stream_rate) refusal.rate_limit = rate_limit_of(reason);
    text.remove_prefix(end + 3);
  }
  if (refusal.listed.empty() || !text.starts_with("user '")) return std::nullopt;
  const std::size_t total = text.find(kTotal);
  if (total == text.npos) return std::nullopt;
  text.remove_prefix(total + kTotal.size());
  const auto ignored = take_count(text);
  const auto all = take_word(text, " out of ") ? take_count(text) : std::nullopt;
  if (!ignored || !all) return std::nullopt;
  refusal.ignored = *ignored;
  refusal.total = *all;
  if (take_word(text, " for stream: ")) refusal.stream = StreamName::take(text);
  return refusal;
}

std::optional<StreamLimit> stream_limit_of(std::string_view text) {
  const Around around = around_stream(text);
  if (lower(around.text).find(kStreamLimit) == std::string::npos) return std::nullopt;
  return StreamLimit{around.stream};
}

std::optional<TenantRate> tenant_rate_of(std::string_view text) {
  if (lower(text).find(kTenantRate) == std::string::npos) return std::nullopt;
  return TenantRate{count_behind(text, "(limit: ").value_or(0), count_behind(text, "totaling ").value_or(0)};
}

bool speaks_of_tenant(std::string_view text) { return has_any(text, kTenantWords); }
bool speaks_of_size(std::string_view text) { return has_any(text, kSizeWords); }

}  // namespace tideover::loki
