#include "wal/base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace tideover {

void invariant_failed(std::string_view sentence, const boost::source_location& where) {
  std::fprintf(stderr, "BUG: %.*s (%s:%u)\n", static_cast<int>(sentence.size()), sentence.data(),
               where.file_name(), static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace tideover
