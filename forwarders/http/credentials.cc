#include "forwarders/http/credentials.h"

#include <algorithm>
#include <fmt/format.h>
#include <openssl/evp.h>

namespace tideover::http {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);

std::string base64(std::string_view plain) {
  std::string out(4 * ((plain.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// Editors and `kubectl create secret --from-file` leave a line end behind; it is not part of the secret.
std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// A token has no blanks; a password may begin and end with some.
std::string_view without_blanks_around(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

bool fits_a_field(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Credentials::Credentials(const AuthOptions& options, Clock& clock, Warn warn)
    : username_(options.username),
      clock_(clock),
      warn_(std::move(warn)),
      file_(options.bearer_file.empty() ? options.password_file : options.bearer_file) {}

Result<> Credentials::reload() {
  const Result<bool> changed = file_.refresh();
  if (!changed) return changed.error();
  pending_ = pending_ || *changed;
  if (!pending_) return {};
  const bool bearer = username_.empty();
  const std::string_view secret =
      bearer ? without_blanks_around(file_.content()) : without_line_end(file_.content());
  if (secret.empty()) return fail(Errc::bad_input, fmt::format("{} is empty", file_.path()));
  if (!bearer) {
    value_ = "Basic " + base64(fmt::format("{}:{}", username_, secret));
    pending_ = false;
    return {};
  }
  if (!fits_a_field(secret))
    return fail(
        Errc::bad_input,
        fmt::format("{} holds characters that no token has: a blank in its midst, or what is not ASCII",
                    file_.path()));
  value_ = fmt::format("Bearer {}", secret);
  pending_ = false;
  return {};
}

Result<std::string> Credentials::authorization() {
  if (!file_.named()) return std::string();
  const Time now = clock_.now();
  if (now >= next_look_) {
    next_look_ = now + kLookInterval;
    const Result<> loaded = reload();
    const std::string problem = loaded ? std::string() : loaded.error().detail;
    if (!problem.empty() && problem != problem_) warn_(problem);
    problem_ = problem;
  }
  if (value_.empty()) return fail(Errc::connect_failed, problem_);
  return value_;
}

}  // namespace tideover::http
