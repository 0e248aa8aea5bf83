#include "agent/config/suggest.h"

#include <algorithm>
#include <numeric>

namespace tideover::config {
namespace {

constexpr std::size_t kTypedBytesMax = 64;  // longer words are not typing mistakes

// Optimal string alignment: insert, delete, replace, and swap of neighbours cost one each.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

// "maxBytes" and "max-bytes" are one word to the one who types them.
std::string plain(std::string_view word) {
  std::string out;
  for (unsigned char c : word)
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(c));
  return out;
}

}  // namespace

std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known) {
  if (typed.size() > kTypedBytesMax) return {};
  const std::string word = plain(typed);
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : known) {
    const auto d = distance(word, plain(candidate));
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace tideover::config
