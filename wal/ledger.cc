#include "wal/ledger.h"

#include <numeric>

#include "wal/base/invariant.h"

namespace tideover::wal {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::out_of_order: return "out_of_order";
    case Reason::duplicate: return "duplicate";
    case Reason::out_of_bounds: return "out_of_bounds";
    case Reason::bad_request: return "bad_request";
    case Reason::too_large: return "too_large";
    case Reason::unsupported: return "unsupported";
    case Reason::budget: return "budget";
    case Reason::damaged: return "damaged";
    case Reason::operator_drop: return "operator";
  }
  invariant(false, "every reason has a name");
  return {};
}

std::uint64_t Ledger::settled() const {
  return delivered + diverted + std::accumulate(lost.begin(), lost.end(), std::uint64_t{0});
}

Ledger& Ledger::operator+=(const Ledger& other) {
  delivered += other.delivered;
  for (std::size_t i = 0; i < lost.size(); ++i) lost[i] += other.lost[i];
  diverted += other.diverted;
  probable_duplicates += other.probable_duplicates;
  under_reported += other.under_reported;
  stripped += other.stripped;
  return *this;
}

}  // namespace tideover::wal
