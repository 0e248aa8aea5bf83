#include "agent/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <sys/un.h>
#include <utility>

#include "agent/config/fault.h"
#include "forwarders/http/url.h"

namespace tideover::config {
namespace {

Error bad(std::string sentence) { return fail(Errc::bad_input, std::move(sentence)); }

// The digits at the front of `text`, taken off it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: a duration names its parts in this order, each at most once.
constexpr std::array<Unit, 4> kTimes = {{{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes = {
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}}};

// What is left of a socket's path, its zero included, for the directory that holds admin.sock.
constexpr std::size_t kDataDirBytesMax =
    sizeof(sockaddr_un{}.sun_path) - std::string_view("/admin.sock").size() - 1;

bool is_token_char(char c) {  // RFC 9110 section 5.6.2
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return bad(fmt::format("{} is not a duration: write 2h42m, 30s or 500ms", in_quotes(text)));
  };
  std::string_view rest = text;
  std::uint64_t sum = 0;
  std::size_t next_unit = 0;
  do {
    const auto number = take_number(rest);
    if (!number) return wrong();
    const auto word = rest.substr(0, rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"));
    const auto unit =
        std::find_if(kTimes.begin() + next_unit, kTimes.end(), [&](const Unit& u) { return u.name == word; });
    if (unit == kTimes.end()) return wrong();
    next_unit = static_cast<std::size_t>(unit - kTimes.begin()) + 1;
    rest.remove_prefix(word.size());
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max() / 1'000'000;  // fits nanoseconds
    if (*number > (kMax - sum) / unit->factor)
      return bad(fmt::format("{} is longer than any duration can be", in_quotes(text)));
    sum += *number * unit->factor;
  } while (!rest.empty());
  return Milliseconds(static_cast<std::int64_t>(sum));
}

Result<Size> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  const auto unit = std::ranges::find(kSizes, rest, &Unit::name);
  if (!number || (!rest.empty() && unit == kSizes.end()))
    return bad(
        fmt::format("{} is not a size: write 4GiB, 512MiB or a plain number of bytes", in_quotes(text)));
  const std::uint64_t factor = rest.empty() ? 1 : unit->factor;
  if (*number > std::numeric_limits<std::int64_t>::max() / factor)
    return bad(fmt::format("{} is larger than any size can be", in_quotes(text)));
  return Size{*number * factor};
}

Result<Count> parse_count(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number || !rest.empty())
    return bad(fmt::format("{} is not a number: write digits, as in 10000", in_quotes(text)));
  return Count{*number};
}

Result<Percentage> parse_percentage(std::string_view text) {
  const auto wrong = [&] {
    return bad(fmt::format("{} is not a percentage: write 20% or 12.5%", in_quotes(text)));
  };
  if (!text.ends_with('%')) return wrong();
  std::string_view rest = text.substr(0, text.size() - 1);
  const auto whole = take_number(rest);
  if (!whole || *whole > 1000) return wrong();
  double value = static_cast<double>(*whole);
  if (!rest.empty()) {
    if (rest.size() != 2 || rest[0] != '.' || rest[1] < '0' || rest[1] > '9') return wrong();
    value += (rest[1] - '0') / 10.0;
  }
  return Percentage{value / 100.0};
}

Result<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return bad(fmt::format("{} is neither true nor false: write one of them", in_quotes(text)));
}

Result<Address> parse_address(std::string_view text) {
  auto address = tideover::parse_address(text);
  if (!address) return bad(fmt::format("{} {}", in_quotes(text), address.error().detail));
  return std::move(*address);
}

Result<Url> parse_url(std::string_view text) {
  auto parsed = http::parse_url(text);
  if (!parsed) return bad(parsed.error().detail);
  const auto path = text.find_first_of("/?", text.find("://") + 3);
  return Url{.text = std::string(text),
             .https = parsed->tls,
             .host = std::move(parsed->host),
             .port = parsed->port,
             .has_path = path != std::string_view::npos && text[path] == '/'};
}

std::string print(Milliseconds value) {
  auto rest = static_cast<std::uint64_t>(value.count());
  if (rest == 0) return "0s";
  std::string out;
  for (const auto& [name, factor] : kTimes) {
    if (rest >= factor) out += fmt::format("{}{}", rest / factor, name);
    rest %= factor;
  }
  return out;
}

std::string print(Size value) {
  for (const auto& [name, factor] : kSizes)
    if (value.bytes >= factor && value.bytes % factor == 0)
      return fmt::format("{}{}", value.bytes / factor, name);
  return fmt::format("{}", value.bytes);
}

std::string print(Count value) { return std::to_string(value.n); }

std::string print(Percentage value) { return fmt::format("{:.4g}%", value.ratio * 100); }

std::string print(const Url& value) { return http::printable_url(value.text); }

Complaint complain_destination_name(std::string_view name) {
  const bool legal = !name.empty() && name.size() <= 40 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (legal) return {};
  return fmt::format("{} is not a name: write 1 to 40 of a-z, 0-9 and \"-\", for example thanos",
                     in_quotes(name));
}

Complaint complain_label_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const bool legal = !name.empty() && letter(name[0]) &&
                     std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
  if (!legal)
    return fmt::format("{} is not a label name: write letters, digits and \"_\", not beginning with a digit",
                       in_quotes(name));
  if (name.starts_with("__"))
    return fmt::format("{} is reserved: label names that begin with \"__\" are Prometheus' own",
                       in_quotes(name));
  return {};
}

constexpr std::string_view kPods = "/*/*/*.log";

std::string directory_of_logs(std::string_view pattern) {
  return std::string(pattern.substr(0, pattern.size() - kPods.size()));
}

Complaint complain_log_files(std::string_view pattern) {
  const bool legal = pattern.starts_with('/') && pattern.ends_with(kPods) && pattern.size() > kPods.size();
  if (legal &&
      pattern.substr(0, pattern.size() - kPods.size()).find_first_of("*?[") == std::string_view::npos)
    return {};
  return fmt::format(
      "{} is not understood: this version reads the logs of pods as kubelet lays them out, write a directory "
      "and "
      "/*/*/*.log, for example /var/log/pods/*/*/*.log",
      in_quotes(pattern));
}

Complaint complain_data_dir(std::string_view path) {
  if (path.starts_with('~'))
    return fmt::format(
        "{} is not an absolute path: nothing replaces \"~\" here, write the home directory out",
        in_quotes(path));
  if (!path.starts_with('/'))
    return fmt::format(
        "{} is not an absolute path: it would mean another directory wherever the agent is started",
        in_quotes(path));
  const std::string plain = std::filesystem::path(path).lexically_normal();
  if (plain.find_first_not_of('/') == std::string::npos)
    return fmt::format(
        "{} is the root of the file system: name a directory of the agent's own, for example "
        "/var/lib/tideover",
        in_quotes(path));
  if (path.size() > kDataDirBytesMax)
    return fmt::format(
        "has {} bytes, and at most {} are possible: the operators' socket lies in it as admin.sock, and the "
        "system takes no longer path for one",
        path.size(), kDataDirBytesMax);
  return {};
}

Complaint complain_file(std::string_view path) {
  if (path.starts_with('/')) return {};
  return "is not an absolute path: write one that begins with \"/\"";
}

Complaint complain_secret_file(std::string_view path) {
  if (path.starts_with('/')) return {};
  return "is not an absolute path: write one that begins with \"/\"; the credential itself does not belong "
         "into "
         "this file";
}

Complaint complain_header(std::string_view name, std::string_view value) {
  if (name.empty() || !std::ranges::all_of(name, is_token_char))
    return fmt::format("{} is not a header name", in_quotes(name));
  if (std::ranges::any_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return fmt::format("the value of header {} holds a control byte", in_quotes(name));
  const std::string key = lower(name);
  constexpr std::array kProtocol = {"content-type", "content-encoding", "x-prometheus-remote-write-version",
                                    "user-agent"};
  constexpr std::array kConnection = {"host", "content-length", "connection", "transfer-encoding",
                                      "te",   "upgrade",        "expect"};
  if (std::ranges::find(kProtocol, key) != kProtocol.end())
    return fmt::format("the header {} is set by the protocol: delete it", in_quotes(name));
  if (std::ranges::find(kConnection, key) != kConnection.end())
    return fmt::format("the header {} belongs to the connection: delete it", in_quotes(name));
  if (key == "authorization") return "credentials come from files only: use auth.bearer_file or auth.basic";
  if (key == "thanos-tenant") return "use the key tenant instead of this header";
  return {};
}

}  // namespace tideover::config
