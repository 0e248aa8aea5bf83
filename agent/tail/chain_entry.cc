// Where ChainReader goes on: which member is to be read next, and what is missing before it.
#include <algorithm>
#include <utility>

#include "agent/tail/chain_reader.h"

namespace tideover::tail {

std::size_t ChainReader::behind(const std::vector<Member>& members) const {
  if (current_) {
    // While it is open, nothing else can have its number.
    const auto same = std::ranges::find(members, current_->member.info.id,
                                        [](const Member& member) { return member.info.id; });
    if (same != members.end()) return static_cast<std::size_t>(same - members.begin()) + 1;
  }
  const auto at = reference();
  if (!at) return 0;
  if (const auto spot = locate(*at, members, chain_.format)) return spot->member + 1;
  // It was looked at when the position was elsewhere, or before it grew to what the position knows of it.
  const auto same = std::ranges::find_if(members, [&](const Member& member) {
    return member.info.id == at->id && member.restart == at->restart && !member.compressed &&
           (member.head.size() < at->head.bytes || begins_with(member.head, at->head));
  });
  if (same != members.end()) return static_cast<std::size_t>(same - members.begin()) + 1;
  return first_newer(*at, members);
}

// One look is enough for one read(): what comes behind it is seen by the next.
bool ChainReader::outdated() {
  if (!outdated_) outdated_ = survey_.outdated();
  return *outdated_;
}

// Looks at the directory again, and counts what has gone from it unread. False: it cannot be looked at.
bool ChainReader::refresh(Slice& slice, std::int64_t now_ns) {
  const std::vector<Member> before = gone_ ? std::vector<Member>() : survey_.members();
  const auto at = reference();
  std::vector<std::string> notes;
  const auto looked = survey_.refresh(at ? &*at : nullptr, now_ns, notes);
  for (std::string& sentence : notes) say(slice, std::move(sentence));
  gone_ = !looked && looked.error().code == Errc::not_found;
  outdated_ = !looked;
  if (!looked && !gone_) {
    say(slice, looked.error().detail);
    return false;
  }
  const Missed missed =
      missed_between(before, behind(before), gone_ ? std::vector<Member>() : survey_.members());
  const std::vector<Member>& now = survey_.members();
  for (std::size_t i = 0; i < now.size() && !gone_; ++i)
    if (now[i].live && (i == 0 || now[i - 1].restart != now[i].restart)) whole_restart_ = now[i].restart;
  gone_unread_.bytes += missed.bytes;
  gone_unread_.perhaps_more = gone_unread_.perhaps_more || missed.perhaps_more;
  return true;
}

// Nearly always it lies where it was.
bool ChainReader::enter_by_name() {
  const Position& at = *ahead_.position;
  if (at.head.bytes == 0) return false;
  auto member = member_of(chain_, at.name);
  if (!member || member->compressed) return false;
  auto file = files_.open(path(at.name));
  const auto info = file ? (*file)->info() : Result<FileInfo>(file.error());
  if (!info || info->id != at.id || info->size < at.offset) return false;
  std::string head(kHeadBytes, '\0');
  std::string before(at.before.bytes, '\0');
  const auto got_head = (*file)->read(0, head);
  const auto got_before = (*file)->read(at.offset - at.before.bytes, before);
  if (!got_head || !got_before || *got_before != before.size()) return false;
  head.resize(*got_head);
  if (!begins_with(head, at.head) || !begins_with(before, at.before)) return false;
  member->info = *info;
  member->order_ns = at.order_ns;
  member->head = std::move(head);
  current_ = Current{
      std::move(*file), nullptr, std::move(*member), at.offset, at.offset, std::move(before), {}, true, {}};
  return true;
}

bool ChainReader::open(const Member& member, std::uint64_t offset, Slice& slice) {
  auto file = files_.open(path(member.name));
  if (!file) {
    // Gone or renamed just now: the next look tells.
    if (file.error().code != Errc::not_found) say(slice, file.error().detail);
    return false;
  }
  Current next;
  next.file = std::move(*file);
  if (member.compressed) {
    auto inflates = std::make_unique<GzipFile>(std::move(next.file));
    next.inflates = inflates.get();
    next.file = std::move(inflates);
  }
  const auto info = next.file->info();
  if (!info || (info->id != member.info.id && !member.compressed)) return false;
  next.member = member;
  next.offset = next.slice_began = offset;
  next.before.resize(std::min<std::uint64_t>(kBeforeBytes, offset));
  const auto got = next.file->read(offset - next.before.size(), next.before);
  if (!got) {
    say(slice, got.error().detail);
    return false;
  }
  next.before.resize(*got);
  current_ = std::move(next);
  return true;
}

// A member that was read to its end before it was compressed need not be inflated to know it.
static bool is_finished(const Member& member, std::uint64_t offset) {
  return member.compressed && member.content_bytes == static_cast<std::uint32_t>(offset);
}

bool ChainReader::enter(LineSink& sink, Slice& slice, std::int64_t now_ns) {
  if (ahead_.position && !ahead_.finished && enter_by_name()) return true;
  if (!refresh(slice, now_ns)) return false;
  static const std::vector<Member> kNone;
  const std::vector<Member>& members = gone_ ? kNone : survey_.members();
  std::size_t next = 0;
  if (ahead_.position) {
    const auto spot = locate(*ahead_.position, members, chain_.format);
    if (spot && !ahead_.finished) ahead_.finished = is_finished(members[spot->member], spot->offset);
    if (spot && !ahead_.finished) {
      const Member& member = members[spot->member];
      if (!open(member, spot->offset, slice)) return false;
      current_->taken = true;
      if (current_->member.order_ns == 0) current_->member.order_ns = ahead_.position->order_ns;
      const bool held = !member.compressed || begins_with(current_->before, ahead_.position->before) ||
                        current_->inflates->damage();
      if (held) return true;
      current_.reset();  // it begins alike and goes on otherwise: it is not ours
      lose(sink, missed_with(*ahead_.position), slice);
      next = spot->member;
    } else {
      if (!ahead_.finished) lose(sink, missed_with(*ahead_.position), slice);
      next = spot ? spot->member + 1 : first_newer(*ahead_.position, members);
    }
  }
  if (members.empty() && (gone_ || ahead_.position)) {
    lines_.end(sink);
    slice.ended = true;
  }
  // Only while it is still empty: its number is used again.
  for (std::size_t i = next; ahead_.passed && i < members.size(); ++i)
    if (members[i].info.id == *ahead_.passed && members[i].head.empty()) next = i + 1;
  if (next == members.size() || !open(members[next], 0, slice)) return false;
  // A restart that was rotated before anybody saw it whole may have lost its beginning, and one in between
  // all.
  const Member& member = members[next];
  if (ahead_.position && member.restart > ahead_.position->restart)
    gone_unread_.perhaps_more = gone_unread_.perhaps_more || member.restart > ahead_.position->restart + 1 ||
                                (!member.live && member.restart != whole_restart_);
  return true;
}

}  // namespace tideover::tail
