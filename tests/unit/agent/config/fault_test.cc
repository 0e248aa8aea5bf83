// How faults read on a terminal, whatever the file holds.
#include "agent/config/fault.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace tideover::config {
namespace {

using namespace std::string_literals;

TEST_CASE("a value is quoted with its control bytes escaped, and text as it is") {
  CHECK(in_quotes("") == "\"\"");
  CHECK(in_quotes("plain ~ \xc3\xa9 \xc2\xa0") == "\"plain ~ \xc3\xa9 \xc2\xa0\"");
  CHECK(in_quotes("\x1b[31m\n\x7f\0"s) == "\"\\x1b[31m\\x0a\\x7f\\x00\"");
  CHECK(in_quotes("\xc2\x85 \xc2\x9b") == "\"\\xc2\\x85 \\xc2\\x9b\"");  // U+009B steers terminals, too
  CHECK(in_quotes("a\xff\xc3") == "\"a\\xff\\xc3\"");
}

TEST_CASE("a long value is cut, and never within a character") {
  CHECK(in_quotes(std::string(60, 'x')) == '"' + std::string(60, 'x') + '"');
  CHECK(in_quotes(std::string(61, 'x')) == '"' + std::string(60, 'x') + "...\"");
  std::string cut(59, 'x');
  const std::string whole = '"' + cut + "...\"";
  cut.append("\xc3\xa9");
  CHECK(in_quotes(cut) == whole);
}

TEST_CASE("faults stand in the order of the file, those of one place in the order in which they were found") {
  const std::vector<Fault> faults = {
      {{2, 5}, "d"}, {{2, 1}, "b"}, {{1, 9}, "a"}, {{2, 1}, "c"}, {{0, 0}, "of the file"}};
  CHECK(render(faults, "f", "") == "f: of the file\nf:1:9: a\nf:2:1: b\nf:2:1: c\nf:2:5: d\n");
}

TEST_CASE("the line of a fault is shown without what steers a terminal, and with its tabs") {
  CHECK(render({{{1, 5}, "wrong"}}, "f", "a\t\x1b\xc2\x9b\xff: b\r\n") ==
        "f:1:5: wrong\n"
        "    1 | a\t???: b\n"
        "      |  \t  ^\n");
}

TEST_CASE("a long line is cut, and a place behind the cut has its line not shown") {
  const std::string line(400, 'x');
  const std::string shown = render({{{1, 161}, "wrong"}}, "f", line);
  CHECK(shown.find("| " + std::string(160, 'x') + "\n") != std::string::npos);
  CHECK(render({{{1, 162}, "wrong"}}, "f", line) == "f:1:162: wrong\n");
  CHECK(render({{{1, 5}, "wrong"}}, "f", "abc") == "f:1:5: wrong\n");  // the line ends before it
  CHECK(render({{{9, 1}, "wrong"}}, "f", "abc\n") == "f:9:1: wrong\n");
}

TEST_CASE("fifty faults are all shown, and nothing is said of more") {
  std::vector<Fault> faults;
  for (int i = 1; i <= 50; ++i) faults.push_back({{i, 1}, "wrong"});
  CHECK(render(faults, "f", "").find("more") == std::string::npos);
  faults.push_back({{51, 1}, "wrong"});
  CHECK(render(faults, "f", "").ends_with("f:50:1: wrong\nf: and 1 more errors\n"));
}

TEST_CASE("the name of a file that holds a credential is shown, the credential is not") {
  const auto is_shown = [](const std::string& line) {
    return render({{{1, 1}, "wrong"}}, "f", line).find(line) != std::string::npos;
  };
  for (const char* line : {"password_file: /a", "token_file: /a", "url: http://host/", "a: b@c"}) {
    INFO(line);
    CHECK(is_shown(line));
  }
  for (const char* line :
       {"Password: a", "token_file: x, token: a", "url: https://u:p@host/", "Authorization: a",
        "x-api-key: a", "api_key: a", "client_secret: a", "passwd: a", "Bearer a"}) {
    INFO(line);
    CHECK_FALSE(is_shown(line));
  }
}

}  // namespace
}  // namespace tideover::config
