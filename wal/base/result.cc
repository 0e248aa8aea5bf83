#include "wal/base/result.h"

#include <stdexcept>

#include "wal/base/invariant.h"

namespace tideover {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::over_budget: return "over budget";
    case Errc::disk_floor: return "disk floor";
    case Errc::disk_full: return "disk full";
    case Errc::io_error: return "I/O error";
    case Errc::store_busy: return "store busy";
    case Errc::store_refused: return "store refused";
    case Errc::corrupt: return "corrupt";
    case Errc::unavailable: return "unavailable";
    case Errc::stopping: return "stopping";
    case Errc::bad_input: return "bad input";
    case Errc::too_large: return "too large";
    case Errc::timeout: return "timeout";
    case Errc::connect_failed: return "connect failed";
    case Errc::connection_lost: return "connection lost";
    case Errc::not_found: return "not found";
  }
  invariant(false, "every Errc has a name");
  return {};
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  // Only reached by value() on a result that was not checked: a mistake of ours, not of the environment.
  throw std::logic_error("unchecked error: " + error.detail);
}

}  // namespace tideover
