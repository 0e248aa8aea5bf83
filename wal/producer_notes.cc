#include "wal/producer_notes.h"

#include "wal/wal_format.h"

namespace tideover::wal {

void ProducerNotes::take(const StoreImage& image) {
  for (const auto& [key, value] : image.meta)
    if (key.starts_with(kCheckpointPrefix)) put(key.substr(kCheckpointPrefix.size()), value);
}

void ProducerNotes::put(const std::string& key, const std::string& value) {
  if (value.empty())
    notes_.erase(key);
  else
    notes_[key] = value;
}

std::optional<std::string> ProducerNotes::find(std::string_view key) const {
  const auto note = notes_.find(key);
  return note == notes_.end() ? std::nullopt : std::optional(note->second);
}

std::vector<Checkpoint> ProducerNotes::all(std::string_view prefix) const {
  std::vector<Checkpoint> found;
  for (auto it = notes_.lower_bound(prefix); it != notes_.end() && it->first.starts_with(prefix); ++it)
    found.push_back({it->first, it->second});
  return found;
}

std::vector<Checkpoint> ProducerNotes::missing_in(const StoreImage& image) const {
  std::vector<Checkpoint> missing;
  for (const auto& [key, value] : notes_) {
    const auto stored = image.meta.find(std::string(kCheckpointPrefix) + key);
    if (stored == image.meta.end() || stored->second != value) missing.push_back({key, value});
  }
  return missing;
}

}  // namespace tideover::wal
