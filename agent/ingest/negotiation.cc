#include "agent/ingest/negotiation.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace tideover::ingest {
namespace {

using remote_write::Version;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// A header value in an answer: short and without control bytes.
std::string quoted(std::string_view value) {
  std::string text;
  for (const char c : value.substr(0, 80)) text += c >= ' ' && c < 0x7f ? c : '?';
  return text;
}

Error unsupported(std::string sentence) { return fail(Errc::bad_input, std::move(sentence)); }

}  // namespace

Result<Version> negotiate(const http::Headers& headers) {
  const std::string_view encoding = trimmed(headers.find("Content-Encoding"));
  if (!encoding.empty() && !equal_without_case(encoding, "snappy"))
    return unsupported(
        fmt::format("Content-Encoding {} is not supported: send snappy (block format)", quoted(encoding)));

  const std::string_view type = headers.find("Content-Type");
  if (trimmed(type).empty()) return Version::v1;
  std::string_view rest = type;
  const auto next_part = [&rest] {
    const auto end = std::min(rest.find(';'), rest.size());
    const std::string_view part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
  };
  if (const auto media = next_part(); !equal_without_case(media, "application/x-protobuf"))
    return unsupported(
        fmt::format("Content-Type {} is not supported: send application/x-protobuf", quoted(media)));
  while (!rest.empty()) {
    const std::string_view part = next_part();
    const auto split = part.find('=');
    if (split == std::string_view::npos || !equal_without_case(trimmed(part.substr(0, split)), "proto"))
      continue;
    const std::string_view proto = trimmed(part.substr(split + 1));
    if (proto == "prometheus.WriteRequest") return Version::v1;
    if (proto == "io.prometheus.write.v2.Request") return Version::v2;
    return unsupported(
        fmt::format("the message {} is not supported: send prometheus.WriteRequest or "
                    "io.prometheus.write.v2.Request",
                    quoted(proto)));
  }
  return Version::v1;
}

}  // namespace tideover::ingest
