// HTTP messages as plain values, for both edges of the agent: the server and the clients.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tideover::http {

// Field names compare without case (RFC 9110 section 5.1).
bool same_name(std::string_view a, std::string_view b);

// In order of arrival; names compare without case (RFC 9110 section 5.1).
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  std::string_view find(std::string_view name) const;  // first value, or empty when absent
  bool has(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  std::string method;
  std::string target;  // path and query, as sent
  Headers headers;
  std::string
      body;  // a server route may ask for room in front of it: then the first `headroom` bytes are not body
  std::string peer = {};  // whom a server has it from: an address without the port
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// "/api/v1/write" of "/api/v1/write?x=1".
std::string_view path_of(std::string_view target);

}  // namespace tideover::http
