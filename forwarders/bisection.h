// How long to look for the bad items of one refused batch, and when to give up.
//
// Halving finds one bad item among n with log2(n) + 1 requests and passes the rest with as many more. So
// every fault is worth 2 * log2(n) + 16 requests, a batch eight times that. Halves that never pass mean that
// it is the batch which is refused, not an item of it: then the search ends after the first descent and a few
// more (log2(n) + 4; a single bad first item fails log2(n) + 1 times before anything can pass), and after two
// requests if the batch before ended the same way. What is then left of the batch, at most one part for each
// level, is asked once more, so that a batch whose front alone is bad still passes: about 2 * log2(n)
// requests, 29 for 10,000 items, and five for a batch that follows one like it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace tideover::forward {

class Bisection {
 public:
  static constexpr std::uint32_t kNoEnd = std::numeric_limits<std::uint32_t>::max();

  // No effect when the search is on already. `at_least`: so many requests, whatever passes.
  void start(std::size_t items, std::uint32_t at_least = 0);
  void close(bool refused_whole);  // the batch is settled, or put back
  bool active() const { return active_; }

  void sent() { ++sends_; }
  void not_sent() { --sends_; }  // the last one, after all
  void passed() { ++passes_; }
  void culprit_found();  // the next one is worth as much again

  bool exhausted() const;
  bool refused_whole() const;  // nothing has passed, and enough was asked
  bool something_passed() const { return active_ && passes_ > 0; }
  std::uint32_t requests() const { return sends_; }

 private:
  bool active_ = false;
  bool last_refused_whole_ = false;
  std::uint32_t per_fault_ = 0;
  std::uint32_t until_ = 0;  // `sends_` may reach this
  std::uint32_t without_pass_max_ = 0;
  std::uint32_t sends_ = 0;
  std::uint32_t passes_ = 0;
};

}  // namespace tideover::forward
