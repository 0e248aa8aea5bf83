#include "forwarders/loki/standing.h"

#include <algorithm>
#include <utility>

namespace tideover::loki {

bool Standing::sure(const Candidate& stream, Time now) const {
  const auto found = known_.find(stream.hash);
  if (found == known_.end()) return false;
  const Known& known = found->second;
  if (now - known.proven > limits_.proof_life) return false;
  if (stream.oldest_ns < known.newest_ns - limits_.behind_ns) return false;
  // Within the push itself too: its newest entry may come first.
  if (stream.newest_ns - stream.oldest_ns > limits_.behind_ns) return false;
  const bool same_window = now - known.window_begun < limits_.window;
  return stream.bytes + (same_window ? known.window_bytes : 0) <= limits_.bytes_per_window;
}

std::vector<std::size_t> Standing::order(std::span<const Candidate> batch, Time now) const {
  std::vector<std::size_t> order;
  std::vector<std::size_t> unsure;
  for (std::size_t i = 0; i < batch.size(); ++i) (sure(batch[i], now) ? order : unsure).push_back(i);
  if (unsure.empty() && !order.empty()) {
    // The one that was proven longest ago has the last place, so that none has to be sent alone for it.
    const auto proven = [&](std::size_t i) { return known_.at(batch[i].hash).proven; };
    const auto oldest = std::min_element(order.begin(), order.end(),
                                         [&](std::size_t a, std::size_t b) { return proven(a) < proven(b); });
    if (now - proven(*oldest) > limits_.renew_after) std::rotate(oldest, oldest + 1, order.end());
  }
  order.insert(order.end(), unsure.begin(), unsure.end());
  return order;
}

void Standing::stored(std::span<const Candidate> push, Time now) {
  for (const Candidate& stream : push) {
    const bool last = &stream == &push.back();
    auto found = known_.find(stream.hash);
    if (found == known_.end()) {
      if (!last) continue;  // it was not sure, and this proves nothing of it
      make_room();
      found = known_.try_emplace(stream.hash).first;
      found->second.newest_ns = stream.newest_ns;
    }
    Known& known = found->second;
    if (last) known.proven = now;
    known.newest_ns = std::max(known.newest_ns, stream.newest_ns);
    if (now - known.window_begun >= limits_.window) {
      known.window_begun = now;
      known.window_bytes = 0;
    }
    known.window_bytes += stream.bytes;
  }
}

// Seldom: a quarter goes at once, so that it costs little for each.
void Standing::make_room() {
  if (known_.size() < limits_.streams) return;
  std::vector<std::pair<Time, std::uint64_t>> by_age;
  by_age.reserve(known_.size());
  for (const auto& [hash, known] : known_) by_age.emplace_back(known.proven, hash);
  const auto quarter = by_age.begin() + static_cast<std::ptrdiff_t>(by_age.size() / 4 + 1);
  std::nth_element(by_age.begin(), quarter - 1, by_age.end());
  for (auto it = by_age.begin(); it != quarter; ++it) known_.erase(it->second);
}

}  // namespace tideover::loki
