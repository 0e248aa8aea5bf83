// Broken invariants abort in every build (STYLE rule 18): a restart is safe, a wrong answer is not.
#pragma once

#include <source_location>
#include <string_view>

namespace tideover {

[[noreturn]] void invariant_failed(std::string_view sentence, const std::source_location& where);

// `sentence` states what must hold, in the words of the operator who will read it in the log.
inline void invariant(bool holds, std::string_view sentence,
                      const std::source_location& where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    invariant_failed(sentence, where);
}

}  // namespace tideover
