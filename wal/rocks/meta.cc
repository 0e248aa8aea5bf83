#include "wal/rocks/meta.h"

#include <algorithm>
#include <charconv>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "wal/base/little_endian.h"
#include "wal/rocks/handle.h"
#include "wal/rocks/options.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

struct Versioned {
  std::uint64_t commit = 0;
  std::string value;

  bool operator==(const Versioned&) const = default;
};
using Copy = std::map<std::string, Versioned>;

// Errors: damage in front of its end, or a disk that is away.
rocksdb::Status collect(const RocksHandle& handle, rocksdb::ColumnFamilyHandle* family, Copy& into) {
  const std::unique_ptr<rocksdb::Iterator> it(handle.db().NewIterator(read_options(), family));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (const auto commit = commit_of(it->value().ToStringView()))
      into[it->key().ToString()] = {*commit, it->value().ToString().substr(sizeof *commit)};
  }
  return it->status();
}

}  // namespace

void put_meta(rocksdb::WriteBatch& batch, const RocksHandle& handle, std::uint64_t commit,
              const MetaEntries& entries) {
  std::string value;
  for (const auto& [key, plain] : entries) {
    if (plain.empty() && key.starts_with(kCheckpointPrefix)) {
      batch.Delete(handle.meta(), key);
      batch.Delete(handle.mirror(), key);
      continue;
    }
    value.clear();
    append_le(value, commit);
    value += plain;
    batch.Put(handle.meta(), key, value);
    batch.Put(handle.mirror(), key, value);
  }
}

std::string released_key(LaneId lane) { return std::string(kReleasedPrefix) + std::to_string(lane.value); }

std::optional<std::uint64_t> commit_of(std::string_view stored) {
  LittleEndianReader from(stored);
  const auto commit = from.next<std::uint64_t>();
  return from.ok() ? std::optional(commit) : std::nullopt;
}

std::optional<std::uint32_t> format_of(std::string_view stored) {
  if (!commit_of(stored)) return std::nullopt;
  const std::string_view text = stored.substr(sizeof(std::uint64_t));
  std::uint32_t format = 0;
  const bool read = std::from_chars(text.data(), text.data() + text.size(), format).ec == std::errc{};
  return read ? std::optional(format) : std::nullopt;
}

Result<MetaImage> read_meta(const RocksHandle& handle) {
  Copy newest, mirror;
  MetaImage image;
  const rocksdb::Status read = collect(handle, handle.meta(), newest);
  const rocksdb::Status mirrored = collect(handle, handle.mirror(), mirror);
  for (const rocksdb::Status& status : {read, mirrored})
    if (!status.ok() && !is_damage(status)) return rocks_error(status, "read the meta");
  image.meta_damaged = !read.ok();
  image.mirror_damaged = !mirrored.ok();
  image.copies_differ = newest != mirror;
  for (auto& [key, other] : mirror) {
    Versioned& best = newest[key];
    if (other.commit > best.commit) best = std::move(other);
  }
  for (auto& [key, entry] : newest) {
    image.commits[key] = entry.commit;
    image.last_commit = std::max(image.last_commit, entry.commit);
    if (!entry.value.empty()) image.values[key] = std::move(entry.value);
  }
  return image;
}

}  // namespace tideover::wal
