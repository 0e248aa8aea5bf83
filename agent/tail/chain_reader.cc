#include "agent/tail/chain_reader.h"

#include <algorithm>
#include <utility>

namespace tideover::tail {

ChainReader::ChainReader(Files& files, Chain chain, const ReaderOptions& options, std::string_view position)
    : files_(files),
      chain_(std::move(chain)),
      options_(options),
      survey_(files_, chain_, options.names_max),
      lines_(chain_.format, options.line_bytes_max) {
  if (position.empty()) return;
  auto decoded = decode_position(position);
  if (!decoded) {
    pending_note_ = chain_.key + ": " + decoded.error().detail;
    return;
  }
  if (!lines_.decode(decoded->lines))
    pending_note_ = chain_.key + ": the beginning of a line is damaged and left out";
  committed_.position = std::move(*decoded);
  ahead_ = committed_;
}

Slice ChainReader::read(LineSink& sink, std::span<char> buffer, std::uint64_t bytes_max,
                        std::int64_t now_ns) {
  Slice slice;
  read_ns_ = now_ns;
  resting_.reset();
  const std::uint64_t lines_before = lines_.lines();
  if (!pending_note_.empty()) slice.notes.push_back(std::exchange(pending_note_, {}));
  if (current_) current_->slice_began = current_->offset;
  if (std::exchange(ahead_.broken, false)) {
    lines_.end(sink);
    ahead_.position->size = ahead_.position->offset;
    ahead_.position->lines = lines_.encode();
    changed_ = true;
  }
  // A busy file is at its end never, and its successors come and go meanwhile.
  if (current_ && outdated()) refresh(slice, now_ns);
  if (std::exchange(give_up_, false) && pinned_bytes() != 0) {
    const auto info = current_->file->info();
    note_position();
    if (!ahead_.position) ahead_.position = reference();
    lose(sink, {info->size - std::min(info->size, current_->offset), false}, slice);
    left_.push_back(std::move(*current_));
    current_.reset();
  }
  while (!slice.more) {
    if (!current_ && !enter(sink, slice, now_ns)) break;
    const auto block = next_block(buffer);
    if (!block) {
      say(slice, block.error().detail);
      break;
    }
    if (block->rewritten) {
      ++slice.truncations;
      note_position();
      if (ahead_.position && ahead_.position->id == current_->member.info.id)
        ahead_.position->size = std::max(ahead_.position->offset, current_->member.info.size);
      current_.reset();
      continue;  // by what lies there now: what was truncated may have been copied before
    }
    const std::uint64_t offset = current_->offset;
    take(*block, Rest::unknown, sink, slice, now_ns);
    if (current_->offset == offset && block->full) take(*block, Rest::more, sink, slice, now_ns);
    if (!block->full && !at_end(buffer, sink, slice, now_ns)) break;
    slice.more = slice.bytes >= bytes_max;
  }
  // What comes next is held from now on: it may be removed before the next slice.
  if (slice.more && !current_) enter(sink, slice, now_ns);
  note_position();
  slice.missed.bytes += gone_unread_.bytes;
  slice.missed.perhaps_more = slice.missed.perhaps_more || gone_unread_.perhaps_more;
  slice.lines = lines_.lines() - lines_before;
  outdated_.reset();
  slice.owed = changed_ && (!left_.empty() || lines_.unfinished());
  if (slice.ended) {
    ahead_ = {};
  } else if (std::exchange(changed_, false) && ahead_.position) {
    slice.position = encode(*ahead_.position);
  }
  return slice;
}

void ChainReader::committed() {
  committed_ = ahead_;
  gone_unread_ = {};
  left_.clear();
}

void ChainReader::rollback() {
  // Not by name: it may have none any more.
  if (!left_.empty()) current_ = std::move(left_.front());
  left_.clear();
  ahead_ = committed_;
  changed_ = false;
  resting_.reset();
  lines_.decode(ahead_.position ? std::string_view(ahead_.position->lines) : std::string_view());
  if (!current_) return;
  Current& now = *current_;
  now.offset = now.slice_began;
  now.taken = ahead_.position && !ahead_.finished && ahead_.position->id == now.member.info.id &&
              ahead_.position->offset == now.offset;
  now.tail.clear();
  now.successor_ns.reset();
  now.before.resize(std::min<std::uint64_t>(kBeforeBytes, now.offset));
  const auto got = now.file->read(now.offset - now.before.size(), now.before);
  if (!got || *got != now.before.size()) current_.reset();
}

std::uint64_t ChainReader::pinned_bytes() {
  if (!current_) return 0;
  const auto info = current_->file->info();
  return info && info->links == 0 ? info->size : 0;
}

void ChainReader::idle() {
  if (!current_ || pinned_bytes() != 0) return;
  const Member& member = current_->member;
  if (!current_->successor_ns && current_->inflates == nullptr && member.info.size == current_->offset)
    resting_ = Resting{member.name, member.info};
  current_.reset();
}

bool ChainReader::quiet() {
  outdated_.reset();
  if (current_ || !resting_ || outdated()) return false;
  const auto now = files_.look(path(resting_->name));
  return now && unchanged(resting_->info, *now, read_ns_);
}

std::uint64_t ChainReader::unread_bytes() const {
  if (!current_ && !ahead_.position) return 0;
  if (!current_) return ahead_.position->size - std::min(ahead_.position->size, ahead_.position->offset);
  const Current& now = *current_;
  std::uint64_t bytes = now.inflates != nullptr ? now.member.content_bytes : now.member.info.size;
  bytes -= std::min(bytes, now.offset);
  const std::vector<Member>& members = survey_.members();
  for (std::size_t i = behind(members); i < members.size() && !gone_; ++i) bytes += members[i].content_bytes;
  return bytes;
}

Result<ChainReader::Block> ChainReader::next_block(std::span<char> buffer) {
  Current& now = *current_;
  Block block;
  // What was inflated is not inflated again, and it cannot change. What stands in a plain file can.
  const std::string& front = now.inflates != nullptr ? now.tail : now.before;
  std::size_t got = 0;
  if (now.inflates != nullptr) {
    std::ranges::copy(front, buffer.begin());
    const auto more = now.file->read(now.offset + front.size(), buffer.subspan(front.size()));
    if (!more) return more.error();
    got = front.size() + *more;
    block.text = {buffer.data(), got};
  } else {
    const auto all = now.file->read(now.offset - front.size(), buffer);
    if (!all) return all.error();
    got = *all;
    const std::string_view bytes(buffer.data(), got);
    block.rewritten = !bytes.starts_with(front);
    if (!block.rewritten) block.text = bytes.substr(front.size());
  }
  block.full = got == buffer.size();
  return block;
}

void ChainReader::take(const Block& block, Rest rest, LineSink& sink, Slice& slice, std::int64_t now_ns) {
  Current& now = *current_;
  const std::size_t count = lines_.take(block.text, rest, now_ns, sink);
  const std::string_view taken = block.text.substr(0, count);
  std::string& head = now.member.head;
  if (head.size() < kHeadBytes && now.offset <= head.size() && now.offset + count > head.size())
    head += taken.substr(head.size() - now.offset, kHeadBytes - head.size());
  now.offset += count;
  now.info_fresh = false;
  now.before += taken.substr(count - std::min(count, kBeforeBytes));
  now.before.erase(0, now.before.size() - std::min(now.before.size(), kBeforeBytes));
  if (now.inflates != nullptr) now.tail = block.text.substr(count);
  slice.bytes += count;
  now.taken = now.taken || count != 0;
  changed_ = changed_ || count != 0;
}

// True: there is something else to read.
bool ChainReader::at_end(std::span<char> buffer, LineSink& sink, Slice& slice, std::int64_t now_ns) {
  Current& now = *current_;
  const auto info = now.file->info();
  if (!info) {
    say(slice, info.error().detail);
    return false;
  }
  if (outdated() && !refresh(slice, now_ns)) return false;
  static const std::vector<Member> kNone;
  const std::vector<Member>& members = gone_ ? kNone : survey_.members();
  now.member.info = *info;
  now.info_fresh = true;
  if (chain_.format == Format::plain) now.member.order_ns = info->modified_ns;
  const std::size_t next = behind(members);
  if (next == members.size() && info->links != 0) return false;
  if (!now.successor_ns) now.successor_ns = now_ns;
  if (now.inflates == nullptr) {
    const bool settled =
        info->modified_ns <= now_ns - options_.settle_ns || *now.successor_ns <= now_ns - options_.settle_ns;
    if (!settled) return false;
  }
  leave(buffer, sink, slice, now_ns, next != members.size() && members[next].restart == now.member.restart);
  return true;
}

void ChainReader::leave(std::span<char> buffer, LineSink& sink, Slice& slice, std::int64_t now_ns,
                        bool same_restart) {
  // What was written since it was found to be at its end.
  if (const auto last = next_block(buffer); last && !last->rewritten) {
    if (last->full) return;  // it is not at its end any more
    take(*last, Rest::none, sink, slice, now_ns);
  }
  if (!same_restart) lines_.end(sink);
  if (current_->inflates != nullptr && current_->inflates->damage()) {
    const GzipFile::Damage& damage = *current_->inflates->damage();
    slice.damaged_bytes += damage.compressed_bytes;
    slice.notes.push_back(path(current_->member.name) +
                          " is damaged, what stands before it was read: " + damage.sentence);
  }
  note_position();
  ahead_.finished = true;
  ahead_.passed.reset();
  if (!current_->taken) ahead_.passed = current_->member.info.id;
  left_.push_back(std::move(*current_));
  current_.reset();
}

void ChainReader::lose(LineSink& sink, const Missed& missed, Slice& slice) {
  lines_.end(sink);  // what would have ended it is gone
  const std::optional<Position>& safe = committed_.position;
  const bool known =
      safe && !current_ && safe->id == ahead_.position->id && safe->offset == ahead_.position->offset;
  // That its file is gone stays so, whatever becomes of this slice.
  Missed& total = known ? gone_unread_ : slice.missed;
  total.bytes += missed.bytes;
  total.perhaps_more = total.perhaps_more || missed.perhaps_more;
  if (known) committed_.finished = committed_.broken = true;
  ahead_.finished = true;
  if (!ahead_.position) return;
  ahead_.position->size = ahead_.position->offset;  // counted
  ahead_.position->lines = lines_.encode();
  changed_ = true;
}

void ChainReader::note_position() {
  if (!current_ || !current_->taken || !changed_) return;
  Current& now = *current_;
  const auto info = now.info_fresh ? Result<FileInfo>(now.member.info) : now.file->info();
  if (info) now.member.info = *info;
  const std::int64_t order_before = ahead_.position ? ahead_.position->order_ns : 0;
  if (chain_.format == Format::plain) now.member.order_ns = now.member.info.modified_ns;
  if (now.member.order_ns == 0) now.member.order_ns = first_time(now.member.head);
  if (now.member.order_ns == 0) now.member.order_ns = order_before + 1;
  ahead_.position = reference();
  ahead_.position->lines = lines_.encode();
  ahead_.finished = false;
  ahead_.passed.reset();
}

std::optional<Position> ChainReader::reference() const {
  if (!current_ || (!current_->taken && ahead_.position && current_->member.head.empty()))
    return ahead_.position;
  const Current& now = *current_;
  Position at;
  at.id = now.member.info.id;
  at.name = now.member.name;
  at.restart = now.member.restart;
  at.order_ns = now.member.order_ns;
  at.head = mark_of(now.member.head);
  at.before = mark_of(now.before);
  at.offset = now.offset;
  at.size = now.inflates != nullptr ? now.offset : now.member.info.size;
  return at;
}

void ChainReader::say(Slice& slice, std::string sentence) {
  if (sentence == last_note_) return;  // once
  last_note_ = sentence;
  slice.notes.push_back(std::move(sentence));
}

}  // namespace tideover::tail
