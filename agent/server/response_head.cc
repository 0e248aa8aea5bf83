#include "agent/server/response_head.h"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>
#include <iterator>

namespace tideover::server {
namespace {

bool is_ours(std::string_view name) {
  return http::same_name(name, "content-length") || http::same_name(name, "connection") ||
         http::same_name(name, "transfer-encoding") || http::same_name(name, "date");
}

bool breaks_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool has_no_body(int status) { return status == 204 || status == 304; }

}  // namespace

void append_head(std::string& out, const http::Response& response, const Framing& framing) {
  const auto code = static_cast<unsigned>(response.status);
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(code));
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", code,
                 std::string_view(reason.data(), reason.size()));
  out.append("Date: ").append(framing.date).append("\r\n");
  for (const auto& [name, value] : response.headers.fields()) {
    if (is_ours(name) || breaks_line(name) || breaks_line(value)) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!has_no_body(response.status))
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
  if (!framing.keep_alive)
    out.append("Connection: close\r\n");
  else if (framing.http_1_0)
    out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

http::Response plain(int status, std::string sentence) {
  http::Response response{status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(sentence)};
  response.body.push_back('\n');
  return response;
}

}  // namespace tideover::server
