// positions.yaml: positions or a sentence, in bounded work; what is taken can be used.
#include <cstdint>
#include <set>

#include "agent/promtail/positions.h"
#include "wal/base/invariant.h"
#include "wal/base/utf8.h"

namespace tideover::promtail {
namespace {

void check(std::string_view text) {
  const Result<Positions> positions = parse_positions(text);
  if (!positions) {
    invariant(positions.error().code == Errc::bad_input, "what is refused is bad input");
    invariant(!positions.error().detail.empty() && positions.error().detail.size() < 500, "in a sentence");
    return;
  }
  invariant(text.empty() || text.back() == '\n', "nothing that was cut is taken");
  invariant(positions->unusable.size() <= positions->unusable_count, "what is named is counted");
  std::set<std::pair<std::string, std::string>> keys;
  for (const FilePosition& file : positions->files) {
    invariant(!file.path.empty() && file.path.size() <= 4096, "a path can be one");
    invariant(file.offset >> 63 == 0, "an offset can be one");
    invariant(keys.emplace(file.path, file.labels).second, "a key comes once");
  }
  // Each takes two bytes of text at the least.
  invariant(positions->files.size() + positions->cursors.size() + positions->unusable_count <= text.size(),
            "nothing is made up");
}

}  // namespace
}  // namespace tideover::promtail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tideover::promtail::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
