#include "forwarders/answers.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/core.h>
#include <limits>
#include <time.h>

#include "wal/base/utf8.h"

namespace tideover::forward {
namespace {

// nginx's, and Mimir's: somebody on the way took us for gone, and what became of the request is not known.
constexpr int kClientWentAway = 499;

Verdict make(Action action, wal::Reason reason, const Result<http::Response>& answer) {
  Verdict verdict;
  verdict.action = action;
  verdict.reason = reason;
  verdict.sentence = sentence_of(answer);
  return verdict;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= kSentenceBytes) {
      out += "...";
      break;
    }
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0 || byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7, the form that must be generated).
std::optional<std::time_t> http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

}  // namespace

std::string sentence_of(const Result<http::Response>& answer) {
  if (answer.has_error())
    return printable(fmt::format("{}: {}", to_string(answer.error().code), answer.error().detail));
  const std::string_view body = trimmed(std::string_view(answer->body).substr(0, 2 * kSentenceBytes));
  return printable(body.empty() ? fmt::format("HTTP {}", answer->status)
                                : fmt::format("HTTP {}: {}", answer->status, body));
}

std::optional<Duration> retry_after(const http::Headers& headers) {
  const std::string_view text = trimmed(headers.find("Retry-After"));
  if (text.empty()) return std::nullopt;
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc{} && end == text.data() + text.size()) return std::chrono::seconds(seconds);
  const auto when = http_date(text);
  const auto now = http_date(trimmed(headers.find("Date")));
  if (!when || !now || *when < *now) return std::nullopt;
  // A year of four digits lies farther ahead than nanoseconds count.
  constexpr std::time_t kMost = std::numeric_limits<std::uint32_t>::max();
  return std::chrono::seconds(std::min(*when - *now, kMost));
}

bool leaves_in_doubt(const Result<http::Response>& answer) {
  if (answer.has_value())
    return answer->status >= 500 || answer->status == 408 || answer->status == kClientWentAway;
  // After stopping, too: the request may have been on its way.
  return answer.error().code != Errc::connect_failed;
}

bool tells_overload(const Result<http::Response>& answer) {
  if (answer.has_value()) return answer->status == 429 || answer->status == 503 || answer->status == 529;
  return answer.error().code == Errc::timeout;
}

std::optional<Verdict> common_verdict(const Result<http::Response>& answer) {
  const auto retry = [&answer] { return make(Action::retry, wal::Reason::bad_request, answer); };
  if (answer.has_error()) return retry();
  const int status = answer->status;
  if (status >= 200 && status < 300) return std::nullopt;
  if (status >= 500 || status < 200 || status == 408 || status == 425 || status == 429 ||
      status == kClientWentAway) {
    Verdict verdict = retry();
    verdict.retry_after = retry_after(answer->headers);
    return verdict;
  }
  switch (status) {
    case 400:
    case 409:
    case 415:
    case 422: return std::nullopt;
    case 413: return make(Action::halve, wal::Reason::too_large, answer);
  }
  // 401, 403, 404, 405, redirects and whatever else the table does not name: nothing of it speaks about the
  // data, so the data waits for somebody to repair the configuration.
  return make(Action::pause, wal::Reason::bad_request, answer);
}

}  // namespace tideover::forward
