// What of a credentials file is the secret, and how it is said.
#include "forwarders/http/credentials.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "tests/support/loop.h"
#include "tests/support/temp_directory.h"

namespace tideover::http {
namespace {

std::string said(const std::string& content, const std::string& user = {}) {
  const TempDirectory directory;
  const std::string path = directory / "secret";
  std::ofstream(path) << content;
  test::Loop loop;
  AuthOptions options;
  (user.empty() ? options.bearer_file : options.password_file) = path;
  options.username = user;
  Credentials credentials(options, loop.clock, [](std::string_view) {});
  const Result<std::string> value = credentials.authorization();
  return value ? *value : "refused: " + value.error().detail.substr(path.size());
}

TEST_CASE("blanks around a token and a line end behind it, of any system, are no part of it") {
  for (const char* content : {"abc", "abc\n", "abc\r\n", "abc\n\n", " abc", "abc\t", "\n abc \r\n"})
    CHECK(said(content) == "Bearer abc");
  for (const char* content : {"", "\n", "\r\n", " \t\n"}) CHECK(said(content) == "refused:  is empty");
}

TEST_CASE("what no token has is refused, and not left out") {
  for (const char* content : {"abc def", "a\nb", "a\tb", "\x80"})
    CHECK(said(content).starts_with("refused:  holds characters that no token has"));
}

TEST_CASE("a password is said behind its user in base64, with all that it may hold") {
  CHECK(said("secret\n", "eva") == "Basic ZXZhOnNlY3JldA==");
  CHECK(said("a:b c\r\n", "eva") == "Basic ZXZhOmE6YiBj");
  CHECK(said(" a ", "eva") == "Basic ZXZhOiBhIA==");  // a blank is a character like any other
  CHECK(said("", "eva") == "refused:  is empty");
}

}  // namespace
}  // namespace tideover::http
