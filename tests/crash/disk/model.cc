#include "tests/crash/disk/model.h"

#include <algorithm>
#include <utility>

namespace tideover::disk {
namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// A change whose subject is not there (its own creation was lost) is lost as well.
void carry_out(const NameChange& change, Names& names) {
  switch (change.kind) {
    case NameChange::Kind::add: names[change.path] = change.name; return;
    case NameChange::Kind::remove: names.erase(change.path); return;
    case NameChange::Kind::move:
      if (const auto from = names.find(change.path); from != names.end()) {
        const Name name = from->second;
        names.erase(from);
        names[change.to] = name;
      }
      return;
  }
}

bool touches(const NameChange& change, const std::string& directory) {
  return parent_of(change.path) == directory ||
         (change.kind == NameChange::Kind::move && parent_of(change.to) == directory);
}

// What lies in a directory that did not survive did not either.
void drop_orphans(Names& names, const std::set<std::string>& directories) {
  std::erase_if(names, [&](const auto& entry) {
    for (std::string path = parent_of(entry.first); directories.contains(path); path = parent_of(path))
      if (!names.contains(path)) return true;
    return false;
  });
}

constexpr std::uint64_t kSectors[] = {512, 4096};

// Bytes of a write that did not get there: what was before, or nothing, which reads as zeros.
void undo(const Write& write, std::uint64_t from, std::uint64_t to, Loss& loss) {
  std::string bytes(to - from, '\0');
  const std::uint64_t at = from - write.offset;
  if (at < write.before.size()) write.before.copy(bytes.data(), bytes.size(), at);
  loss.patches.push_back({from, std::move(bytes)});
}

// The write reaches the disk up to `end`, and nothing behind it does.
Loss torn_at(const File& file, std::uint64_t durable_size, std::uint64_t end) {
  Loss loss;
  loss.size = std::max(durable_size, std::min(end, file.size));
  for (auto write = file.unsynced.rbegin(); write != file.unsynced.rend(); ++write) {
    const std::uint64_t stop = write->offset + write->before.size();
    if (const std::uint64_t from = std::max(end, write->offset); from < stop) undo(*write, from, stop, loss);
  }
  return loss;
}

// Sectors reach the disk in any order; the length may be there before the bytes are.
Loss some_sectors(const File& file, std::uint64_t durable_size, std::uint64_t sector, const Dice& dice) {
  Loss loss;
  std::uint64_t last = durable_size;
  for (auto write = file.unsynced.rbegin(); write != file.unsynced.rend(); ++write) {
    const std::uint64_t stop = write->offset + write->length;
    for (std::uint64_t from = write->offset; from < stop;) {
      const std::uint64_t to = std::min(stop, (from / sector + 1) * sector);
      if (dice(2) == 0)
        undo(*write, from, to, loss);
      else
        last = std::max(last, to);
      from = to;
    }
  }
  loss.size = dice(2) == 0 ? file.size : std::max(last, durable_size);
  return loss;
}

}  // namespace

void Model::found(const std::string& path, Name name, std::uint64_t size) {
  durable_[path] = name;
  if (name.directory) directories_.insert(path);
  if (!name.directory) files_[name.inode].size = size;
}

void Model::added(const std::string& path, Name name) {
  pending_.push_back({NameChange::Kind::add, path, {}, name, ++serial_});
  if (name.directory) directories_.insert(path);
  if (!name.directory) files_.try_emplace(name.inode);
}

void Model::moved(const std::string& from, const std::string& to) {
  pending_.push_back({NameChange::Kind::move, from, to, {}, ++serial_});
}

void Model::removed(const std::string& path) {
  pending_.push_back({NameChange::Kind::remove, path, {}, {}, ++serial_});
}

void Model::written(Inode inode, std::uint64_t offset, std::uint64_t length, std::string before) {
  File& file = files_[inode];
  file.size = std::max(file.size, offset + length);
  file.unsynced.push_back({offset, length, std::move(before), ++serial_});
}

void Model::truncated(Inode inode, std::uint64_t size) {
  File& file = files_[inode];
  file.size = size;
  std::erase_if(file.unsynced, [size](const Write& write) { return write.offset + write.length > size; });
}

void Model::file_synced(Inode inode, std::uint64_t serial) {
  std::erase_if(files_[inode].unsynced, [serial](const Write& write) { return write.serial <= serial; });
}

void Model::directory_synced(const std::string& directory, std::uint64_t serial) {
  std::vector<NameChange> left;
  for (NameChange& change : pending_) {
    if (change.serial <= serial && touches(change, directory))
      carry_out(change, durable_);
    else
      left.push_back(std::move(change));
  }
  pending_ = std::move(left);
}

Names Model::now() const {
  Names names = durable_;
  for (const NameChange& change : pending_) carry_out(change, names);
  return names;
}

std::uint64_t Model::size(Inode inode) const {
  const auto file = files_.find(inode);
  return file == files_.end() ? 0 : file->second.size;
}

Aftermath Model::after_power_cut(const Dice& dice) const {
  Aftermath after;
  after.names = durable_;
  // Journals keep the order of changes; POSIX promises none.
  const bool in_order = dice(2) == 0;
  const std::uint64_t kept_changes = dice(pending_.size() + 1);
  std::uint64_t kept = 0;
  std::string lost;
  std::set<std::string> stuck;  // names with a lost change: what came later cannot have happened to them
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const NameChange& change = pending_[i];
    if ((in_order ? i < kept_changes : dice(2) == 0) && !stuck.contains(change.path) &&
        !stuck.contains(change.to)) {
      carry_out(change, after.names);
      ++kept;
      continue;
    }
    stuck.insert(change.path);
    if (!change.to.empty()) stuck.insert(change.to);
    lost += " " + base_of(change.path);
    if (change.kind == NameChange::Kind::move) lost += ">" + base_of(change.to);
    if (change.kind == NameChange::Kind::remove) lost += "(removed)";
  }
  drop_orphans(after.names, directories_);

  std::uint64_t unsynced_bytes = 0, whole = 0, none = 0, torn = 0, holed = 0;
  for (const auto& [inode, file] : files_) {
    if (file.unsynced.empty()) continue;
    // Bytes behind the synced end; a file is only ever appended to, except for small ones of no weight.
    std::uint64_t durable_size = file.size;
    for (const Write& write : file.unsynced)
      durable_size = std::min(durable_size, write.offset + write.before.size());
    unsynced_bytes += file.size - durable_size;
    const std::uint64_t range = file.size - durable_size;
    switch (dice(6)) {
      case 0: ++whole; continue;
      case 1: ++none, after.losses[inode] = torn_at(file, durable_size, durable_size); break;
      case 2:
        ++torn, after.losses[inode] = torn_at(file, durable_size, durable_size + dice(range + 1));
        break;
      case 3: {
        const std::uint64_t sector = kSectors[dice(2)];
        const std::uint64_t end = (durable_size + dice(range + 1)) / sector * sector;
        ++torn, after.losses[inode] = torn_at(file, durable_size, std::max(end, durable_size));
        break;
      }
      default:
        ++holed, after.losses[inode] = some_sectors(file, durable_size, kSectors[dice(2)], dice);
        break;
    }
  }
  after.summary = std::to_string(kept) + " of " + std::to_string(pending_.size()) + " unsynced names kept" +
                  (in_order ? " in order" : "") + "; " + std::to_string(unsynced_bytes) +
                  " unsynced bytes: files whole " + std::to_string(whole) + ", without them " +
                  std::to_string(none) + ", torn " + std::to_string(torn) + ", with holes " +
                  std::to_string(holed) + (lost.empty() ? "" : "; names lost:" + lost);
  return after;
}

}  // namespace tideover::disk
