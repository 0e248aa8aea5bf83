#include "agent/tail/survey.h"

#include <algorithm>

#include "agent/tail/gzip_file.h"

namespace tideover::tail {
namespace {

// The kernel's times stand still for a tick, 10 ms at most; some file systems keep them far more coarsely.
constexpr std::int64_t kTimesLag = 2'000'000'000;

Result<std::string> read_some(OpenFile& file, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  const auto got = file.read(offset, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

}  // namespace

bool unchanged(const FileInfo& known, const FileInfo& now, std::int64_t looked_ns) {
  return known.id == now.id && known.kind == now.kind && known.size == now.size &&
         known.modified_ns == now.modified_ns && looked_ns >= now.modified_ns + kTimesLag;
}

bool Survey::outdated() {
  if (!known_) return true;
  const auto directory = files_.look(chain_.directory);
  return !directory || !unchanged(directory_, *directory, looked_ns_);
}

Result<> Survey::refresh(const Position* at, std::int64_t now_ns, std::vector<std::string>& notes) {
  known_ = false;
  const auto directory = files_.look(chain_.directory);
  if (!directory) return directory.error();
  const auto names = files_.list(chain_.directory, names_max_);
  if (!names) return names.error();
  std::vector<Member> found;
  for (const std::string& name : *names) {
    auto member = member_of(chain_, name);
    if (!member) continue;
    const auto readable = look_at(*member, at);
    if (readable && *readable) found.push_back(std::move(*member));
    if (readable || readable.error().code == Errc::not_found) continue;
    // To leave it out is to skip it. An old one may be bad for ever; where we are, and what is being written,
    // is waited for, and so is a lack of descriptors.
    const auto info = files_.look(chain_.directory + "/" + name);
    const bool needed = readable.error().code != Errc::bad_input &&
                        (member->live || (at != nullptr && info && info->id == at->id));
    if (needed || readable.error().code == Errc::unavailable) return readable.error();
    notes.push_back(readable.error().detail);
  }
  members_ = in_order(std::move(found), chain_.format);
  directory_ = *directory;
  looked_ns_ = now_ns;
  known_ = true;
  return {};
}

// False: it is gone again.
Result<bool> Survey::look_at(Member& member, const Position* at) {
  auto opened = files_.open(chain_.directory + "/" + member.name);
  if (!opened) return opened.error();
  const auto info = (*opened)->info();
  if (!info) return info.error();
  member.info = *info;
  const auto known = std::ranges::find_if(members_, [&](const Member& other) {
    return other.compressed && other.info.id == info->id && other.info.size == info->size &&
           other.info.modified_ns == info->modified_ns;
  });
  if (member.compressed && known != members_.end()) {  // inflated once
    member.head = known->head;
    member.content_bytes = known->content_bytes;
    return true;
  }
  std::unique_ptr<OpenFile> file = std::move(*opened);
  member.content_bytes = info->size;
  if (member.compressed) {
    const auto claimed = GzipFile::claimed_size(*file);
    if (!claimed) return claimed.error();
    member.content_bytes = *claimed;
    file = std::make_unique<GzipFile>(std::move(file));
  }
  auto head = read_some(*file, 0, kHeadBytes);
  if (!head) return head.error();
  member.head = std::move(*head);
  if (at == nullptr || member.compressed) return true;
  const auto before = read_some(*file, at->offset - at->before.bytes, at->before.bytes);
  if (!before) return before.error();
  member.before_matches = before->size() == at->before.bytes && begins_with(*before, at->before);
  return true;
}

}  // namespace tideover::tail
