#include "agent/tail/sweeper.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace tideover::tail {
namespace {

constexpr std::size_t kNotesMax = 20;  // of a sweep: what is wrong with a disk is wrong with all its files

wal::Checkpoint position_of(const std::string& path, std::string value) {
  return {std::string(kPositionPrefix) + path, std::move(value)};
}

Tally tally_of(const Slice& slice, Tally lines) {
  lines.bytes = slice.bytes;
  lines.missed_bytes = slice.missed.bytes;
  lines.perhaps_more = slice.missed.perhaps_more ? 1 : 0;
  lines.truncations = slice.truncations;
  lines.damaged_bytes = slice.damaged_bytes;
  return lines;
}

}  // namespace

struct Sweeper::Entry {
  Container container;
  Streams streams;    // of its reader
  std::string start;  // the position that was durable at the start
  std::unique_ptr<ChainReader> reader;
  bool durable = false;  // it has a position in the queue
  bool more = false;
  bool still = false;  // its last slice was empty
  std::uint64_t pinned_bytes = 0;
  Time due{};

  // The slice that is out.
  bool ended = false;
  Tally tally_out;
  // Of slices without lines, which are done with.
  std::string waiting;
  Time waiting_since{};

  Tally tally;
};

Sweeper::Sweeper(Files& files, StreamLabels labels, const SweepOptions& options,
                 const std::vector<wal::Checkpoint>& positions)
    : files_(files),
      labels_(std::move(labels)),
      options_(options),
      discovery_(files, options.discovery),
      buffer_(options.buffer_bytes) {
  for (const wal::Checkpoint& position : positions) {
    if (!position.key.starts_with(kPositionPrefix)) continue;
    const std::string path = position.key.substr(kPositionPrefix.size());
    auto container = parse_container_path(path);
    if (!container) continue;  // nobody's: no directory has such a name
    Entry& entry = entries_[path];
    entry.container = std::move(*container);
    entry.start = position.value;
    entry.durable = true;
  }
}

Sweeper::~Sweeper() = default;

Swept Sweeper::sweep(std::int64_t unix_ns, Time now) {
  Swept swept;
  discover(now, unix_ns, swept);
  const auto busy = std::ranges::count_if(entries_, [&](const auto& e) { return due(e.second, now); });
  const std::uint64_t share =
      options_.record_bytes / static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(busy, 1));
  std::uint64_t position_bytes = 0;
  std::uint64_t read_bytes = 0;
  left_files_ = 0;
  // Round from where the last one stopped, each once.
  auto at = entries_.lower_bound(next_);
  for (std::size_t left = entries_.size(); left != 0; --left, ++at) {
    if (at == entries_.end()) at = entries_.begin();
    if (!due(at->second, now)) continue;
    swept.more = gathering_.bytes() + position_bytes >= options_.record_bytes ||
                 read_bytes >= options_.read_bytes || left_files_ >= options_.open_files_max;
    if (swept.more) break;
    const std::size_t positions = swept.positions.size();
    read_bytes += read(at, std::max(share, options_.slice_bytes), now, unix_ns, swept);
    if (swept.positions.size() > positions) position_bytes += swept.positions.back().value.size();
  }
  next_ = at == entries_.end() ? std::string() : at->first;
  swept.more = swept.more || std::ranges::any_of(entries_, [](const auto& e) { return e.second.more; });
  for (const auto entry : std::exchange(over_, {})) forget(entry);
  swept.record = gathering_.take(unix_ns / 1'000'000);
  add_waiting(now, swept);
  if (swept.notes.size() > kNotesMax) {
    const std::size_t more = swept.notes.size() - kNotesMax;
    swept.notes.resize(kNotesMax);
    swept.notes.push_back(fmt::format("and {} more of the kind", more));
  }
  return swept;
}

void Sweeper::committed() {
  for (const auto entry : std::exchange(riding_, {})) {
    entry->second.waiting.clear();
    entry->second.durable = true;
  }
  for (const auto at : std::exchange(out_, {})) {
    Entry& entry = at->second;
    open_ -= entry.reader->files_held();
    entry.reader->committed();
    open_ += entry.reader->files_held();
    entry.tally += std::exchange(entry.tally_out, {});
    entry.durable = true;
    if (entry.ended) forget(at);
  }
}

void Sweeper::rollback() {
  riding_.clear();
  for (const auto at : std::exchange(out_, {})) {
    Entry& entry = at->second;
    open_ -= entry.reader->files_held();
    entry.reader->rollback();
    open_ += entry.reader->files_held();
    entry.tally_out = {};
    entry.more = true;  // at once
  }
}

SpoolStatus Sweeper::describe(std::size_t largest_max) const {
  std::vector<ContainerTally> all;
  for (const auto& [path, entry] : entries_) {
    ContainerTally one{path, entry.tally};
    one.tally.chains = 1;
    one.tally.open_files = entry.reader ? entry.reader->files_held() : 0;
    one.tally.pinned_bytes = entry.pinned_bytes;
    if (entry.reader && entry.more) one.tally.lag_bytes = entry.reader->unread_bytes();
    all.push_back(std::move(one));
  }
  SpoolStatus status = summarise(std::move(all), gone_, largest_max);
  status.left_out = left_out_;
  return status;
}

// What costs a look at everything is done once in a while, however busy it is.
void Sweeper::discover(Time now, std::int64_t unix_ns, Swept& swept) {
  const bool again = std::exchange(adopt_again_, false);
  if (now < discover_at_ && !again) return;
  discover_at_ = now + options_.poll;
  const bool changed = discovery_.refresh(unix_ns, swept.notes);
  if (changed || again || left_out_ != discovery_.left_out()) adopt();
  keep_bounds();
}

// What has gone stays until its reader says that it has ended: what is open of it is still to be read.
void Sweeper::adopt() {
  left_out_ = discovery_.left_out();
  for (const auto& [path, container] : discovery_.containers()) {
    if (entries_.contains(path)) continue;
    if (entries_.size() < options_.discovery.containers_max)
      entries_[path].container = container;
    else
      ++left_out_;
  }
}

void Sweeper::keep_bounds() {
  std::uint64_t pinned = 0;
  std::vector<std::pair<std::uint64_t, ChainReader*>> holders;
  const bool crowded = open_ >= options_.open_files_max;
  open_ = 0;
  for (auto& [path, entry] : entries_) {
    entry.pinned_bytes = 0;
    if (!entry.reader) continue;
    if (crowded && entry.still) entry.reader->idle();
    open_ += entry.reader->files_held();
    if (entry.reader->files_held() == 0) continue;
    const std::uint64_t bytes = entry.pinned_bytes = entry.reader->pinned_bytes();
    pinned += bytes;
    if (bytes != 0) holders.emplace_back(bytes, entry.reader.get());
  }
  std::ranges::sort(holders, std::greater<>());
  for (const auto& [bytes, reader] : holders) {
    if (pinned <= options_.pinned_bytes_max) break;
    reader->give_up();
    pinned -= bytes;
  }
}

bool Sweeper::due(const Entry& entry, Time now) const {
  if (!entry.more && now < entry.due) return false;
  return discovery_.there() || (entry.reader && entry.reader->files_held() != 0);
}

void Sweeper::open_reader(const std::string& path, Entry& entry) {
  Chain chain;
  chain.key = path;
  chain.directory = discovery_.pods_directory() + "/" + path;
  entry.reader = std::make_unique<ChainReader>(files_, std::move(chain), options_.reader, entry.start);
  entry.start = {};
  entry.streams = {labels_.of(entry.container, Output::standard), labels_.of(entry.container, Output::error)};
}

std::uint64_t Sweeper::read(Entries::iterator at, std::uint64_t bytes_max, Time now, std::int64_t unix_ns,
                            Swept& swept) {
  const auto& path = at->first;
  Entry& entry = at->second;
  if (!entry.reader) open_reader(path, entry);
  ChainReader& reader = *entry.reader;
  entry.due = now + options_.poll;
  if (!entry.more && reader.quiet()) return 0;
  const std::size_t held = reader.files_held();
  gathering_.begin(entry.streams);
  Slice slice = reader.read(gathering_, buffer_, bytes_max, unix_ns);
  const Tally tally = tally_of(slice, gathering_.end());
  entry.more = slice.more;
  entry.still = slice.bytes == 0;
  entry.ended = slice.ended;
  std::ranges::move(slice.notes, std::back_inserter(swept.notes));
  if (held == 0 && open_ >= options_.open_files_max) reader.idle();
  open_ += reader.files_held();
  open_ -= held;
  left_files_ += reader.files_left();
  if (tally.spooled == 0 && !(slice.ended ? entry.durable : slice.owed)) {
    open_ -= reader.files_held();
    reader.committed();
    open_ += reader.files_held();
    entry.tally += tally;
    if (slice.ended) over_.push_back(at);
    if (slice.position.empty()) return slice.bytes;
    if (entry.waiting.empty()) entry.waiting_since = now;
    entry.waiting = std::move(slice.position);
    return slice.bytes;
  }
  entry.tally_out = tally;
  out_.push_back(at);
  // The first is behind all that waits, and the last removes what it would replace.
  if (slice.ended || !slice.position.empty()) entry.waiting.clear();
  if (slice.ended ? entry.durable : !slice.position.empty())
    swept.positions.push_back(position_of(path, std::move(slice.position)));
  return slice.bytes;
}

void Sweeper::add_waiting(Time now, Swept& swept) {
  const bool overdue = std::ranges::any_of(entries_, [&](const auto& e) {
    return !e.second.waiting.empty() && e.second.waiting_since + options_.position_delay <= now;
  });
  if (swept.empty() && !overdue) return;
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (at->second.waiting.empty()) continue;
    swept.positions.push_back(position_of(at->first, at->second.waiting));
    riding_.push_back(at);
  }
}

void Sweeper::forget(Entries::iterator at) {
  gone_ += at->second.tally;
  if (at->second.reader) open_ -= at->second.reader->files_held();
  entries_.erase(at);
  adopt_again_ = true;
}

}  // namespace tideover::tail
