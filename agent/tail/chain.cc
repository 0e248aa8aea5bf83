#include "agent/tail/chain.h"

#include <algorithm>

#include "agent/tail/pod_path.h"

namespace tideover::tail {
namespace {

constexpr std::string_view kGz = ".gz";

// app.log -> .1, .2.gz, -20261128, .20261128-1000: digits, with - . and _ between them.
bool is_rotation(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix.front() != '.' && suffix.front() != '-')) return false;
  return suffix[1] >= '0' && suffix[1] <= '9' && suffix.find_first_not_of("0123456789-._") == suffix.npos;
}

// Of one restart, by names: 20261127 was written before 20261128, but app.log.10 before app.log.9.
bool name_before(const Member& a, const Member& b, Format format) {
  constexpr std::ptrdiff_t kDateDigits = 8;
  if (a.live != b.live) return b.live;
  const bool dated =
      std::ranges::count_if(a.name, [](char c) { return c >= '0' && c <= '9'; }) >= kDateDigits;
  if (format == Format::cri || dated) return a.name < b.name;
  return a.name.size() != b.name.size() ? a.name.size() > b.name.size() : a.name > b.name;
}

void order_by_lines(std::vector<Member>& members) {
  // One without a time of its own keeps its place behind the one before it.
  for (std::size_t i = 0; i < members.size(); ++i) {
    Member& member = members[i];
    member.order_ns = first_time(member.head);
    const bool follows = i != 0 && members[i - 1].restart == member.restart;
    if (member.order_ns == 0 && !member.head.empty())
      member.order_ns = follows && members[i - 1].order_ns != 0 ? members[i - 1].order_ns + 1 : 1;
  }
}

bool begins_alike(const Member& member, const Position& position) {
  return position.head.bytes != 0 && begins_with(member.head, position.head);
}

}  // namespace

std::optional<Member> member_of(const Chain& chain, std::string_view name) {
  Member member;
  member.name = name;
  if (chain.base.empty()) {
    const auto place = parse_pod_file_name(name);
    if (!place) return std::nullopt;
    member.restart = place->restart;
    member.live = place->rotated.empty();
    member.compressed = place->compressed;
    return member;
  }
  if (!name.starts_with(chain.base)) return std::nullopt;
  name.remove_prefix(chain.base.size());
  member.live = name.empty();
  member.compressed = name.ends_with(kGz);
  if (member.compressed) name.remove_suffix(kGz.size());
  if (!member.live && !is_rotation(name)) return std::nullopt;
  return member;
}

std::int64_t first_time(std::string_view head) {
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    if (const auto line = parse_cri_line(head.substr(0, end))) return line->time_ns;
    if (end == head.npos) break;
    head.remove_prefix(end + 1);
  }
  return 0;
}

std::vector<Member> in_order(std::vector<Member> members, Format format) {
  const auto twin = [&](const Member& member) {
    return member.compressed && std::ranges::any_of(members, [&](const Member& other) {
             return !other.compressed && other.name.size() + kGz.size() == member.name.size() &&
                    member.name.starts_with(other.name);
           });
  };
  std::vector<Member> kept;
  for (const Member& member : members)
    if (!twin(member)) kept.push_back(member);
  std::ranges::sort(kept, [&](const Member& a, const Member& b) {
    return a.restart != b.restart ? a.restart < b.restart : name_before(a, b, format);
  });
  if (format == Format::cri) order_by_lines(kept);
  if (format == Format::plain)
    for (Member& member : kept) member.order_ns = member.info.modified_ns;
  std::ranges::stable_sort(kept, [](const Member& a, const Member& b) {
    if (a.restart != b.restart) return a.restart < b.restart;
    if (a.live != b.live) return b.live;
    return a.order_ns < b.order_ns;
  });
  return kept;
}

std::optional<Spot> locate(const Position& position, const std::vector<Member>& members, Format format) {
  std::optional<Spot> found;
  int best = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    const bool same_id = member.info.id == position.id;
    // Devices may be numbered anew with every start of the node.
    const bool same_inode = member.info.id.inode == position.id.inode;
    if (position.head.bytes == 0 ? !same_id : !begins_alike(member, position)) continue;
    std::uint64_t offset = position.offset;
    if (!member.compressed && member.info.size < offset) {
      // No two files of a runtime begin alike, so this is ours, and a crash of the node took its end: what
      // comes now follows there. Any other may have been written anew.
      if (format == Format::plain) continue;
      offset = member.info.size;
    } else if (!member.compressed && !member.before_matches) {
      continue;
    }
    // A plain file that begins like another may be another. What was moved away or compressed is a copy.
    if (format == Format::plain && !same_inode && member.live) continue;
    const int likeness = same_id ? 4 : same_inode ? 3 : member.name == position.name ? 2 : 1;
    if (likeness <= best) continue;
    best = likeness;
    found = Spot{i, offset};
  }
  return found;
}

std::size_t first_newer(const Position& position, const std::vector<Member>& members) {
  const auto newer = [&](const Member& member) {
    if (member.restart != position.restart) return member.restart > position.restart;
    // Even where the clock went back: what is being written is not finished.
    return member.live || member.order_ns > position.order_ns;
  };
  return static_cast<std::size_t>(std::ranges::find_if(members, newer) - members.begin());
}

Missed missed_with(const Position& position) {
  return {position.size - std::min(position.size, position.offset), true};
}

Missed missed_between(const std::vector<Member>& before, std::size_t read, const std::vector<Member>& now) {
  const auto there = [&](const Member& member) {
    return std::ranges::any_of(now, [&](const Member& other) {
      if (member.head.empty()) return other.info.id == member.info.id && !other.compressed;
      return other.head.starts_with(member.head);
    });
  };
  Missed missed;
  bool older_there = false;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Member& member = before[i];
    // Of a restart the oldest are removed first, so behind one that is there nothing is missing: not even one
    // that was empty, which compressed looks like no other.
    if (i != 0 && before[i - 1].restart != member.restart) older_there = false;
    older_there = older_there || there(member);
    if (older_there || i < read) continue;
    missed.bytes += member.content_bytes;
    if (member.live) missed.perhaps_more = true;  // it was written to after that look
  }
  // Nothing of it is left that others would have followed: those may have gone as well.
  if (!before.empty() && !older_there && !now.empty()) missed.perhaps_more = true;
  return missed;
}

}  // namespace tideover::tail
