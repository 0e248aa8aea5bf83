#include "agent/ingest/loki/faults.h"

#include <algorithm>
#include <fmt/format.h>

namespace tideover::ingest::loki {

const Faults::Group* Faults::find(std::uint64_t stream, Why why) const {
  const auto at = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) {
    return group.stream == stream && group.why == why;
  });
  return at == groups_.end() ? nullptr : &*at;
}

bool Faults::wants_sentence(std::uint64_t stream, Why why) const {
  return groups_.size() < kNamedMax && find(stream, why) == nullptr;
}

void Faults::add(std::uint64_t stream, Why why, std::string sentence) {
  ++total_;
  ++by_reason_[static_cast<std::size_t>(why)];
  if (const Group* group = find(stream, why)) {
    ++groups_[static_cast<std::size_t>(group - groups_.data())].entries;
  } else if (groups_.size() < kNamedMax) {
    groups_.push_back({stream, why, 1, std::move(sentence)});
  } else {
    ++unnamed_;
  }
}

std::string Faults::text() const {
  std::string text;
  for (const Group& group : groups_) {
    if (!text.empty()) text += "; ";
    text += group.entries == 1 ? group.sentence
                               : fmt::format("{} errors like: {}", group.entries, group.sentence);
  }
  if (unnamed_ > 0) text += fmt::format("; and {} more entries refused in other streams", unnamed_);
  return text;
}

}  // namespace tideover::ingest::loki
