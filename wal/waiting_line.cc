#include "wal/waiting_line.h"

#include <algorithm>
#include <utility>

#include "wal/lane.h"

namespace tideover::wal {

void WaitingLine::push(Waiting waiting) {
  ++count_;
  const std::uint64_t ticket = ++tickets_;
  if (waiting.lane == nullptr) {
    marks_.push_back({ticket, std::move(waiting)});
    return;
  }
  Signal& signal = waiting.lane->signal();
  const std::uint64_t size = waiting.record.bytes.size();
  signal.waiting_bytes += size;
  waiting.lane->wait(size);
  line_of(signal).places.push_back({ticket, std::move(waiting)});
}

std::vector<Waiting> WaitingLine::take(std::uint64_t max_bytes) {
  std::vector<Waiting> group;
  for (Line& line : lines_) line.taken = 0;
  std::uint64_t bytes = 0;
  while (bytes < max_bytes) {
    const std::uint64_t mark =
        marks_.empty() ? std::numeric_limits<std::uint64_t>::max() : marks_.front().ticket;
    if (Line* line = next_line(mark)) {
      if (line->taken >= line->signal->limits.group_bytes) break;  // all that may go have had their share
      const std::uint64_t size = line->places.front().waiting.record.bytes.size();
      bytes += size;
      line->taken += size;
      line->signal->waiting_bytes -= size;
      line->places.front().waiting.lane->wait_no_more(size);
      group.push_back(pop(line->places));
    } else if (!marks_.empty()) {
      group.push_back(pop(marks_));
    } else {
      break;
    }
  }
  return group;
}

std::vector<Waiting> WaitingLine::take_all() {
  std::vector<Place> all;
  const auto take = [&all](std::deque<Place>& places) {
    std::move(places.begin(), places.end(), std::back_inserter(all));
    places.clear();
  };
  for (Line& line : lines_) {
    line.signal->waiting_bytes = 0;
    for (const Place& place : line.places)
      place.waiting.lane->wait_no_more(place.waiting.record.bytes.size());
    take(line.places);
  }
  take(marks_);
  count_ = 0;
  std::sort(all.begin(), all.end(), [](const Place& a, const Place& b) { return a.ticket < b.ticket; });
  std::vector<Waiting> waiting;
  for (Place& place : all) waiting.push_back(std::move(place.waiting));
  return waiting;
}

WaitingLine::Line& WaitingLine::line_of(Signal& signal) {
  const auto found =
      std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) { return line.signal == &signal; });
  if (found != lines_.end()) return *found;
  lines_.push_back({&signal, {}});
  return lines_.back();
}

// Of those with something in front of the mark: the next one in turn, one with room left first.
WaitingLine::Line* WaitingLine::next_line(std::uint64_t before) {
  Line* full = nullptr;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[(turn_ + i) % lines_.size()];
    if (line.places.empty() || line.places.front().ticket > before) continue;
    if (line.taken >= line.signal->limits.group_bytes) {
      full = &line;
      continue;
    }
    turn_ = (turn_ + i + 1) % lines_.size();
    return &line;
  }
  return full;
}

Waiting WaitingLine::pop(std::deque<Place>& places) {
  --count_;
  Waiting waiting = std::move(places.front().waiting);
  places.pop_front();
  return waiting;
}

}  // namespace tideover::wal
