// What every HTTP receiver means by its answers, and what they say beyond the verdict. The rest (2xx, 400,
// 409, 415, 422) depends on the receiver and is decided in the folder of its destination.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forwarders/http/message.h"
#include "forwarders/verdict.h"
#include "wal/base/result.h"

namespace tideover::forward {

// The verdict where it does not depend on the data: no answer, overload, too large, configuration faults;
// nullopt for 2xx, 400, 409, 415, 422.
std::optional<Verdict> common_verdict(const Result<http::Response>& answer);

// The receiver may have stored the request although it did not say so.
bool leaves_in_doubt(const Result<http::Response>& answer);
// It has more to do than it can do.
bool tells_overload(const Result<http::Response>& answer);

// "HTTP 409: store locally ...", at most `kSentenceBytes`, control bytes and what is not UTF-8 escaped.
inline constexpr std::size_t kSentenceBytes = 400;
std::string sentence_of(const Result<http::Response>& answer);

// Seconds, or an HTTP date taken relative to the answer's own Date header: the receiver's clock is compared
// with itself, never with ours.
std::optional<Duration> retry_after(const http::Headers& headers);

}  // namespace tideover::forward
