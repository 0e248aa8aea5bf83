// The sum of several lanes' ledgers, and the names under which operators read their reasons.
#include "wal/ledger.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <string>

namespace tideover::wal {
namespace {

Ledger ledger_from(std::uint64_t n) {
  Ledger ledger;
  ledger.delivered = n++;
  for (std::uint64_t& lost : ledger.lost) lost = n++;
  ledger.diverted = n++;
  ledger.probable_duplicates = n++;
  ledger.under_reported = n++;
  ledger.stripped = n++;
  return ledger;
}

TEST_CASE("the sum of two ledgers has each figure of both") {
  Ledger sum = ledger_from(100);
  sum += ledger_from(1'000);
  CHECK(sum.delivered == 1'100);
  for (std::size_t i = 0; i < kReasons; ++i) CHECK(sum.lost[i] == 1'100 + 2 * (i + 1));
  CHECK(sum.diverted == 1'100 + 2 * (kReasons + 1));
  CHECK(sum.probable_duplicates == 1'100 + 2 * (kReasons + 2));
  CHECK(sum.under_reported == 1'100 + 2 * (kReasons + 3));
  CHECK(sum.stripped == 1'100 + 2 * (kReasons + 4));
}

TEST_CASE("what has left a lane is what was delivered, lost or diverted, and nothing that is only noted") {
  Ledger ledger;
  ledger.delivered = 1;
  ledger.diverted = 10;
  ledger.lost[0] = 100;
  ledger.lost[kReasons - 1] = 1'000;
  ledger.probable_duplicates = ledger.under_reported = ledger.stripped = 7;
  CHECK(ledger.settled() == 1'111);
}

TEST_CASE("every reason has the name that the documents give it, on its side of the account") {
  const std::set<std::string> rejected{"out_of_order", "duplicate", "out_of_bounds",
                                       "bad_request",  "too_large", "unsupported"};
  const std::set<std::string> dropped{"budget", "damaged", "operator"};
  std::set<std::string> names;
  for (std::size_t i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    const std::string name(to_string(reason));
    CHECK((is_rejection(reason) ? rejected : dropped).contains(name));
    names.insert(name);
  }
  CHECK(names.size() == kReasons);
}

}  // namespace
}  // namespace tideover::wal
