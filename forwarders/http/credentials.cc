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
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
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
  const std::string_view secret = trimmed(file_.content());
  if (secret.empty()) return fail(Errc::bad_input, fmt::format("{} is empty", file_.path()));
  if (!username_.empty()) {
    value_ = "Basic " + base64(fmt::format("{}:{}", username_, secret));
    pending_ = false;
    return {};
  }
  if (!fits_a_field(secret))
    return fail(Errc::bad_input, fmt::format("{} holds characters that no token has", file_.path()));
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
