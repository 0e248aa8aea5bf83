#include "forwarders/http/request_head.h"

#include <fmt/format.h>
#include <iterator>

#include "wal/base/invariant.h"

namespace tideover::http {
namespace {

constexpr std::string_view kUserAgent = "tideover/" TIDEOVER_VERSION;

bool is_ours(std::string_view name) {
  return same_name(name, "host") || same_name(name, "content-length") || same_name(name, "connection") ||
         same_name(name, "transfer-encoding");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void append_head(std::string& out, const Request& request, const RequestContext& context) {
  invariant(is_one_line(request.method) && is_one_line(request.target), "a request line is one line");
  std::string_view path = context.path;
  if (request.target.starts_with('/') && path.ends_with('/')) path.remove_suffix(1);
  out.append(request.method).append(" ").append(path).append(request.target);
  if (context.path.empty() && request.target.empty()) out.append("/");
  out.append(" HTTP/1.1\r\n");
  append_field(out, "Host", context.authority);
  const auto set_by_others = [&](std::string_view name) {
    return request.headers.has(name) || context.fixed.has(name);
  };
  if (!set_by_others("user-agent")) append_field(out, "User-Agent", kUserAgent);
  if (!context.authorization.empty() && !set_by_others("authorization"))
    append_field(out, "Authorization", context.authorization);
  for (const auto& [name, value] : context.fixed.fields())
    if (!is_ours(name) && !request.headers.has(name)) append_field(out, name, value);
  for (const auto& [name, value] : request.headers.fields()) {
    invariant(is_one_line(name) && is_one_line(value), "a header field is one line");
    if (!is_ours(name)) append_field(out, name, value);
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", request.body.size());
  out.append("\r\n");
}

}  // namespace tideover::http
