// Broken invariants abort in every build: a restart is safe, a wrong answer is not.
// boost::source_location, since Clang 14 has no std::source_location with the libstdc++ of GCC 12.
#pragma once

#include <boost/assert/source_location.hpp>
#include <string_view>

namespace tideover {

[[noreturn]] void invariant_failed(std::string_view sentence, const boost::source_location& where);

// `sentence` states what must hold, in the words of the operator who will read it in the log.
inline void invariant(bool holds, std::string_view sentence,
                      const boost::source_location& where = BOOST_CURRENT_LOCATION) {
  if (!holds) [[unlikely]]
    invariant_failed(sentence, where);
}

}  // namespace tideover
