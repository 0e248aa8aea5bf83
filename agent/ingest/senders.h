// Who sends: an account for each address, of the largest senders.
//
// Anybody who reaches the port could come from ever new addresses, so only so many are known at a time. The
// one that gives way is the smallest, and the newcomer inherits its weight (space-saving, Metwally 2005): a
// steady sender that is larger than its share is never lost among many small ones, which a table that gives
// up its oldest would not promise, nor one that takes nobody new. What is shown is a sender's own figures
// since it was known, never what it has inherited.
// Plain values on the io executor.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/http/message.h"

namespace tideover::ingest {

// Of whom the data is, for a receiver that keeps several apart. A destination's own tenant is what is sent
// on.
inline constexpr std::array<std::string_view, 2> kTenantHeaders = {"X-Scope-OrgID", "THANOS-TENANT"};

struct SenderAccount {
  std::string address;  // without the port: a sender takes another for each connection
  std::uint64_t requests = 0;
  std::uint64_t samples = 0;  // stored
  std::uint64_t bytes = 0;    // of bodies that were read, as received
  std::uint64_t refused = 0;  // requests that were not stored, or in part
  std::string last_error;     // what it was told last when one was not
  std::int64_t last_error_ms = 0;
  std::int64_t last_request_ms = 0;
  std::array<std::uint64_t, kTenantHeaders.size()> tenants{};  // requests that named one, by kTenantHeaders
};

struct SendersSnapshot {
  std::vector<SenderAccount> largest;  // by bytes
  std::uint64_t known = 0;
  std::uint64_t forgotten = 0;  // that gave way to others
};

class Senders {
 public:
  static constexpr std::size_t kKnownMax = 256;
  static constexpr std::size_t kShown = 20;

  struct Request {
    std::string_view address;
    const http::Headers& headers;
    std::uint64_t bytes = 0;  // 0: the body was not read
    std::uint64_t samples = 0;
  };
  void note(const Request& request, const http::Response& answer, std::int64_t now_ms);

  SendersSnapshot largest() const;

 private:
  struct Entry {
    SenderAccount account;
    std::uint64_t weight = 0;  // its bytes, and those of whom it took the place of
  };
  Entry& entry(std::string_view address);

  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace tideover::ingest
