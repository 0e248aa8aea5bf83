#include "agent/config/values.h"

#include <catch2/catch.hpp>

#include "forwarders/http/url.h"

namespace tideover::config {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a duration is a sum of hours, minutes, seconds and milliseconds, largest first") {
  CHECK(*parse_duration("2h42m") == 2h + 42min);
  CHECK(*parse_duration("30s") == 30s);
  CHECK(*parse_duration("500ms") == 500ms);
  CHECK(*parse_duration("1h0m1s1ms") == 1h + 1s + 1ms);
  CHECK(*parse_duration("168h") == 168h);
  CHECK(*parse_duration("0s") == 0s);
}

TEST_CASE("any other word is not a duration, and the error shows one") {
  const auto* text =
      GENERATE("", "90", "2h 42m", "42m2h", "1h1h", "2.5h", "-1s", "1d", "h", "1H", "1s\n", "2h42", "1ms1s");
  const auto result = parse_duration(text);
  INFO(text);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail.find("write 2h42m, 30s or 500ms") != std::string::npos);
}

TEST_CASE("a duration that overflows is refused, not wrapped") {
  CHECK_FALSE(parse_duration("9999999999999h").has_value());
  CHECK(parse_duration("2562047h47m16s854ms").has_value());  // all that nanoseconds in 63 bits hold
  CHECK_FALSE(parse_duration("2562047h47m16s855ms").has_value());
  CHECK_FALSE(parse_duration("2562047h48m").has_value());
  CHECK_FALSE(parse_duration("2562047h9999999999m").has_value());
  CHECK(parse_duration("99999999999999999999s").error().detail.find("99999999999999999999s") !=
        std::string::npos);
}

TEST_CASE("a size is a number with a binary unit, or a number of bytes") {
  CHECK(parse_size("4GiB")->bytes == 4ULL << 30);
  CHECK(parse_size("512MiB")->bytes == 512ULL << 20);
  CHECK(parse_size("1TiB")->bytes == 1ULL << 40);
  CHECK(parse_size("16KiB")->bytes == 16ULL << 10);
  CHECK(parse_size("1048576")->bytes == 1048576);
}

TEST_CASE("any other word is not a size, and the error shows one") {
  const auto* text = GENERATE("", "4GB", "4G", "4 GiB", "GiB", "-1", "1.5GiB", "4gib", "0x10", "1e9",
                              "99999999999999999999");
  const auto result = parse_size(text);
  INFO(text);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail.find("write 4GiB, 512MiB or a plain number of bytes") != std::string::npos);
}

TEST_CASE("a size that overflows is refused, not wrapped") {
  CHECK_FALSE(parse_size("17179869184GiB").has_value());
}

TEST_CASE("a count is digits and nothing else") {
  CHECK(parse_count("0")->n == 0);
  CHECK(parse_count("10000")->n == 10'000);
  for (const char* text : {"", "x", "10x", "x10", "-1", "1.5", "1 0", "99999999999999999999"}) {
    INFO(text);
    REQUIRE_FALSE(parse_count(text).has_value());
    CHECK(parse_count(text).error().detail.find("write digits") != std::string::npos);
  }
}

TEST_CASE("a percentage carries its sign, with at most one decimal") {
  CHECK(parse_percentage("20%")->ratio == Approx(0.2));
  CHECK(parse_percentage("12.5%")->ratio == Approx(0.125));
  CHECK(parse_percentage("0%")->ratio == 0);
  const auto* text =
      GENERATE("20", "0.2", "%", "-1%", "20 %", "1.25%", "20%%", ".5%", "99999999999999999999%");
  INFO(text);
  CHECK_FALSE(parse_percentage(text).has_value());
}

TEST_CASE("what is printed is read back as the same value") {
  for (const auto d : {0ms, 1ms, 9720000ms, 61001ms, 604800000ms}) CHECK(*parse_duration(print(d)) == d);
  for (const std::uint64_t bytes : {1ULL, 1000ULL, 1024ULL, 4ULL << 30, (4ULL << 30) + 1})
    CHECK(parse_size(print(Size{bytes}))->bytes == bytes);
  CHECK(print(*parse_duration("162m")) == "2h42m");
  CHECK(print(Percentage{0.125}) == "12.5%");
  for (const auto* text : {"127.0.0.1:7302", "[::1]:80"}) CHECK(print(*parse_address(text)) == text);
}

TEST_CASE("a listen address is an IP address and a port") {
  CHECK(*parse_address("127.0.0.1:7302") == Address{"127.0.0.1", 7302});
  CHECK(*parse_address("[::1]:0") == Address{"::1", 0});
  const auto* text =
      GENERATE("", ":7302", "7302", "localhost:7302", "::1:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
               "127.0.0.1:-1", "[127.0.0.1]:80", "127.0.0.1:80x", "[::1]", "1.2.3:1");
  INFO(text);
  CHECK_FALSE(parse_address(text).has_value());
}

TEST_CASE("what is wrong with a listen address is said, with one that is right") {
  const auto words = [](const char* text) { return parse_address(text).error().detail; };
  CHECK(words("localhost") == "\"localhost\" has no port: write 127.0.0.1:7302, 0.0.0.0:7302 or [::1]:7302");
  CHECK(words("127.0.0.1:65536").find("has no port between 0 and 65535") != std::string::npos);
  CHECK(words("localhost:80").find("does not begin with an IP address") != std::string::npos);
  CHECK(parse_address("127.0.0.1:65535")->port == 65535);
}

TEST_CASE("a URL gives the host and port that a connection needs") {
  const auto thanos = *parse_url("http://thanos-receive.mgmt:19291/api/v1/receive");
  CHECK(thanos.host == "thanos-receive.mgmt");
  CHECK(thanos.port == 19291);
  CHECK_FALSE(thanos.https);
  const auto tls = *parse_url("HTTPS://[fd00::1]?a=b");
  CHECK(tls.https);
  CHECK(tls.host == "fd00::1");
  CHECK(tls.port == 443);
  CHECK(parse_url("http://x")->port == 80);
}

TEST_CASE("a URL that cannot be a destination is refused, and never quoted") {
  const auto* text =
      GENERATE("", "thanos:19291", "/api", "ftp://secret/", "http://", "http:///secret", "http://secret:0/",
               "http://secret:65536/", "http://user:secret@host/", "http://secret@host/", "http://secret/#x",
               "http://sec ret/", "http://secret:port/", "mailto:secret@x");
  const auto result = parse_url(text);
  INFO(text);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail.find("secret") == std::string::npos);
}

TEST_CASE("a URL is shown without what may be a secret, and says that there is more") {
  CHECK(print(*parse_url("https://h:1/write?X-License-Key=SECRET")) == "https://h:1/write?...");
  CHECK(print(*parse_url("http://h/a@b")) == "http://h/a@b");
  CHECK(print(*parse_url("http://h")) == "http://h");
  // Whatever it is, and whoever asks.
  CHECK(http::printable_url("http://eva:SECRET@h/x?y#SECRET") == "http://h/x?...");
  CHECK(http::printable_url("http://h/x#SECRET") == "http://h/x");
  CHECK(http::printable_url("eva:SECRET@h") == "h");
}

TEST_CASE("a URL says whether a path stands in it") {
  CHECK_FALSE(parse_url("http://h:1")->has_path);
  CHECK_FALSE(parse_url("http://h?a=/b")->has_path);
  CHECK(parse_url("http://h/")->has_path);
  CHECK(parse_url("http://h/api/v1/write")->has_path);
}

TEST_CASE("addresses overlap where one socket would keep the other from listening") {
  const auto at = [](const char* text) { return *parse_address(text); };
  CHECK(overlap(at("127.0.0.1:1"), at("0.0.0.0:1")));
  CHECK(overlap(at("[::]:1"), at("127.0.0.1:1")));
  CHECK(overlap(at("[::ffff:127.0.0.1]:1"), at("127.0.0.1:1")));
  CHECK_FALSE(overlap(at("127.0.0.1:1"), at("127.0.0.1:2")));
  CHECK_FALSE(overlap(at("127.0.0.1:1"), at("[::1]:1")));
  CHECK_FALSE(overlap(at("127.0.0.1:0"), at("127.0.0.1:0")));
}

TEST_CASE("loopback is what other nodes cannot reach") {
  for (const char* near : {"127.0.0.1:1", "127.3.2.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"})
    CHECK(is_loopback(*parse_address(near)));
  for (const char* far : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"})
    CHECK_FALSE(is_loopback(*parse_address(far)));
}

TEST_CASE("headers of the protocol, the connection and the credentials cannot be set by hand") {
  const auto* name =
      GENERATE("Content-Type", "content-encoding", "X-Prometheus-Remote-Write-Version", "USER-AGENT", "Host",
               "Content-Length", "Transfer-Encoding", "Authorization", "THANOS-TENANT", "bad name", "");
  INFO(name);
  CHECK_FALSE(complain_header(name, "x").empty());
}

TEST_CASE("a header value cannot smuggle a second header") {
  CHECK_FALSE(complain_header("X-Team", "a\r\nHost: b").empty());
  CHECK(complain_header("X-Team", "obs").empty());
}

TEST_CASE("label names follow Prometheus, and the reserved ones are refused") {
  for (const auto* name : {"cluster", "_a", "A9"}) CHECK(complain_label_name(name).empty());
  for (const auto* name : {"", "9a", "a-b", "a.b", "__name__", "__x", "\xc3\xa4"})
    CHECK_FALSE(complain_label_name(name).empty());
}

}  // namespace
}  // namespace tideover::config
