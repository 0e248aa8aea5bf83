#include "agent/ingest/loki/head.h"

#include <fmt/format.h>
#include <string>

namespace tideover::ingest::loki {
namespace {

constexpr std::size_t kTenantBytesMax = 150;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// A header value in an answer: short and without control bytes.
std::string shown(std::string_view value) {
  std::string text;
  for (const char c : value.substr(0, 80)) text += c >= ' ' && c < 0x7f ? c : '?';
  return text;
}

bool may_name_tenant(char c) {
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return plain || std::string_view("!-_.*'()").find(c) != std::string_view::npos;
}

}  // namespace

Result<Body> body_of(const http::Headers& headers) {
  const std::string_view type = headers.find("Content-Type");
  const std::string_view media = trimmed(type.substr(0, type.find(';')));
  if (media.empty())
    return fail(Errc::bad_input,
                "mime: no media type: send Content-Type application/json or application/x-protobuf");
  Body body;
  body.json = http::same_name(media, "application/json");

  const std::string_view encoding = trimmed(headers.find("Content-Encoding"));
  if (encoding.empty() || http::same_name(encoding, "snappy")) return body;
  if (http::same_name(encoding, "gzip")) {
    body.packing = Packing::gzip;
  } else if (http::same_name(encoding, "deflate")) {
    body.packing = Packing::deflate;
  } else {
    return fail(Errc::bad_input,
                fmt::format("Content-Encoding \"{}\" not supported: send snappy, gzip, deflate or none",
                            shown(encoding)));
  }
  return body;
}

Result<std::string_view> tenant_of(const http::Headers& headers) {
  const std::string_view tenant = headers.find("X-Scope-OrgID");
  if (tenant.size() > kTenantBytesMax)
    return fail(Errc::bad_input, fmt::format("tenant ID is too long: max {} characters", kTenantBytesMax));
  if (tenant == "." || tenant == "..") return fail(Errc::bad_input, "tenant ID is '.' or '..'");
  for (const char c : tenant) {
    if (c == '|') return fail(Errc::bad_input, "multiple org IDs present");
    if (!may_name_tenant(c))
      return fail(Errc::bad_input, fmt::format("tenant ID '{}' contains unsupported character '{}'",
                                               shown(tenant), shown({&c, 1})));
  }
  return tenant;
}

}  // namespace tideover::ingest::loki
