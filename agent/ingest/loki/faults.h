// What a push was refused in part for: counted by reason, and in words for one of each kind.
//
// Loki answers with one text for the whole push, alike errors grouped: "3 errors like: ...; 1 errors like:
// ...". Alike are here the entries of one stream refused for one reason; the first of them is quoted. The
// text is bounded however many there are.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/ingest/loki/limits.h"

namespace tideover::ingest::loki {

class Faults {
 public:
  static constexpr std::size_t kNamedMax = 10;  // groups; the rest is only counted

  // True when the next add() of this reason begins a group that will be named, and wants a sentence. Streams
  // come one after the other: their numbers only grow.
  bool wants_sentence(std::uint64_t stream, Why why) const;
  void add(std::uint64_t stream, Why why, std::string sentence = {});

  bool none() const { return total_ == 0; }
  std::uint64_t total() const { return total_; }  // entries
  const std::array<std::uint64_t, kWhys>& by_reason() const { return by_reason_; }
  std::string text() const;

 private:
  struct Group {
    std::uint64_t stream;
    Why why;
    std::uint64_t entries;
    std::string sentence;
  };
  const Group* find(std::uint64_t stream, Why why) const;

  std::vector<Group> groups_;
  std::array<std::uint64_t, kWhys> by_reason_{};
  std::uint64_t total_ = 0;
  std::uint64_t unnamed_ = 0;
};

}  // namespace tideover::ingest::loki
