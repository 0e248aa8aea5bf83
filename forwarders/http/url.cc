#include "forwarders/http/url.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <charconv>
#include <fmt/format.h>

namespace tideover::http {
namespace {

constexpr std::string_view kBadPort = "its port must be from 1 to 65535";

constexpr std::uint16_t default_port(bool tls) { return tls ? 443 : 80; }

// The text itself is never shown: by mistake it may hold a secret.
Error bad(std::string_view why) {
  return fail(Errc::bad_input, fmt::format("not a URL to send to: {}", why));
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == default_port(tls) ? name : fmt::format("{}:{}", name, port);
}

Result<Url> parse_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return bad("it must look like http://host:port/path");
  Url url;
  const auto scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https)
    return bad("its scheme must be http or https");
  if (parsed->has_userinfo()) return bad("it must not hold a user name or password: use auth with a file");
  if (parsed->has_fragment()) return bad("it must not have a fragment (#)");
  url.tls = scheme == boost::urls::scheme::https;
  const boost::core::string_view host = parsed->encoded_host_address();
  url.host.assign(host.data(), host.size());
  if (url.host.empty()) return bad("it has no host");
  if (url.host.find('%') != std::string::npos) return bad("its host must be plain ASCII");
  url.port = default_port(url.tls);
  if (parsed->has_port()) {
    const boost::core::string_view port = parsed->port();
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || end != port.data() + port.size() || url.port == 0) return bad(kBadPort);
  }
  const boost::core::string_view path = parsed->encoded_path();
  url.path.assign(path.data(), path.size());
  // Boost 1.81 reads "http://host:port/" as the path "port/" behind an empty port.
  if (!url.path.empty() && url.path[0] != '/') return bad(kBadPort);
  if (parsed->has_query()) {
    const boost::core::string_view query = parsed->encoded_query();
    if (url.path.empty()) url.path = "/";  // a request line begins with one
    url.path.append("?").append(query.data(), query.size());
  }
  return url;
}

std::string printable_url(std::string_view text) {
  const auto more = text.find_first_of("?#");
  std::string out(text.substr(0, more));
  const auto scheme = out.find("://");
  const auto begin = scheme == out.npos ? 0 : scheme + 3;
  const auto end = std::min(out.find('/', begin), out.size());
  if (const auto at = out.substr(begin, end - begin).rfind('@'); at != out.npos) out.erase(begin, at + 1);
  if (more != text.npos && text[more] == '?') out += "?...";
  return out;
}

}  // namespace tideover::http
