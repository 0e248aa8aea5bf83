// The conservation account of one cursor (contract C6), in the lane's unit (samples, lines):
//   accepted = delivered + rejected + dropped + queued, where parked and quarantined records are queued.
//
// A ledger is part of its cursor's durable value: it changes in the same atomic batch as the position.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tideover::wal {

// Closed set: every rejected or dropped unit has one of these.
enum class Reason : std::uint8_t {
  // rejected by the receiver, kept in the reject store
  out_of_order,   // older than, or at, its series' newest
  duplicate,      // another value stands at that timestamp
  out_of_bounds,  // outside the receiver's window, and parking is not possible
  bad_request,    // the receiver named a fault in the data
  too_large,      // refused even when sent alone
  unsupported,    // the receiver speaks no version that can carry it
  // dropped by us
  budget,         // best effort, parked or quarantined data beyond its share: oldest first
  damaged,        // its block on disk does not match its checksum
  operator_drop,  // an operator said so
};
inline constexpr std::size_t kReasons = 9;
inline constexpr bool is_rejection(Reason reason) { return reason <= Reason::unsupported; }
std::string_view to_string(Reason reason);

struct Ledger {
  std::uint64_t delivered = 0;
  std::array<std::uint64_t, kReasons> lost{};  // by Reason
  std::uint64_t diverted = 0;  // moved to another lane of the same destination: parked, quarantined
  // Informational, outside the sum.
  std::uint64_t probable_duplicates =
      0;                             // part of delivered: 409 after an attempt whose outcome is not known
  std::uint64_t under_reported = 0;  // part of delivered: the receiver's Written headers were short
  std::uint64_t stripped = 0;        // start timestamps that Remote Write 1.0 cannot carry

  std::uint64_t settled() const;  // delivered + lost + diverted: what has left the lane
  Ledger& operator+=(const Ledger& other);
  bool operator==(const Ledger&) const = default;
};

}  // namespace tideover::wal
