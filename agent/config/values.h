// The words of the configuration: text in, typed value out. Pure; every error says what would be right.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/net/address.h"
#include "wal/base/result.h"

namespace tideover::config {

using Milliseconds = std::chrono::milliseconds;

// Distinct types, so that the table of keys chooses the right words by type.
struct Size {
  std::uint64_t bytes = 0;
  auto operator<=>(const Size&) const = default;
};
struct Count {
  std::uint64_t n = 0;
  auto operator<=>(const Count&) const = default;
};
struct Percentage {
  double ratio = 0;  // 20% is 0.2
  auto operator<=>(const Percentage&) const = default;
};
using tideover::Address;
struct Url {
  std::string text;  // as configured; its query may hold a secret, so that print() alone is for people
  bool https = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool has_path = false;  // "/" is one
  bool operator==(const Url&) const = default;
};

Result<Milliseconds> parse_duration(std::string_view text);  // 2h42m, 30s, 500ms
Result<Size> parse_size(std::string_view text);              // 4GiB, 512MiB, 1048576
Result<Count> parse_count(std::string_view text);            // 10000
Result<Percentage> parse_percentage(std::string_view text);  // 20%, 12.5%
Result<bool> parse_boolean(std::string_view text);           // true, false
Result<Address> parse_address(std::string_view text);        // 127.0.0.1:7302, [::1]:7302
Result<Url> parse_url(std::string_view text);                // http or https

std::string print(Milliseconds value);
std::string print(Size value);
std::string print(Count value);
std::string print(Percentage value);
using tideover::print;                // of an Address
std::string print(const Url& value);  // without its query: a key may stand there

// Nothing when legal, else the sentence that says what would be.
using Complaint = std::string;
Complaint complain_destination_name(std::string_view name);
Complaint complain_label_name(std::string_view name);
Complaint complain_header(std::string_view name, std::string_view value);
Complaint complain_data_dir(std::string_view path);
Complaint complain_log_files(std::string_view pattern);
// "/var/log/pods/*/*/*.log": /var/log/pods. Of a pattern without a complaint.
std::string directory_of_logs(std::string_view pattern);
Complaint complain_file(std::string_view path);         // never shows it
Complaint complain_secret_file(std::string_view path);  // nor does this: it may be the secret itself

}  // namespace tideover::config
