// Sectors that cannot be read: a read that begins in one answers EIO, one that begins before it is short, as
// from a disk. Whoever reads meets them, RocksDB, the C++ library and our own readers alike.
//
// A sector belongs to its file, not to a name: it goes where the file is renamed to, is gone with it, and is
// well again once it is written, as the disk then puts another in its place. `add_named` is for files that do
// not exist yet.
//
// Two ways to use it:
// - linked into a test (tideover_bad_sectors): `BadSectors::of_process()` is what all of it reads through;
// - below a process that knows nothing of it (libforgetful_disk.so): the table lies in the file that
//   TIDEOVER_DISK_BAD names, and whoever opens the same file changes it while the process runs.
// Nothing that we link maps the files that it reads; mappings are not covered. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace tideover::disk {

inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kForGood = UINT64_MAX;

// Bytes, widened to whole pages.
struct Extent {
  std::uint64_t from = 0, to = UINT64_MAX;

  static Extent page(std::uint64_t number) { return {number * kPage, (number + 1) * kPage}; }
};

// When it heals by itself: after so many failed reads, or so long after the first one. And when it begins:
// after so many reads that still succeed.
struct Lasting {
  std::uint64_t reads = kForGood;
  std::chrono::milliseconds time{0};  // 0: no limit
  std::uint64_t after = 0;
};

class BadSectors {
 public:
  using Id = std::uint32_t;

  static BadSectors& of_process();

  BadSectors();                                            // of its own
  explicit BadSectors(const std::filesystem::path& file);  // shared; created when it is not there
  ~BadSectors();
  BadSectors(const BadSectors&) = delete;
  BadSectors& operator=(const BadSectors&) = delete;

  // `file` exists. While this object lives its inode is not given to another file.
  Id add(const std::filesystem::path& file, Extent extent = {}, Lasting lasting = {});
  // Every file whose name matches the glob, now and later; writing does not make it well.
  Id add_named(const std::string& glob, Extent extent = {}, Lasting lasting = {});
  void heal(Id id);
  void clear();

  std::uint64_t hits() const;  // reads that failed since the last clear()
  std::uint64_t hits(Id id) const;
  bool bad(Id id) const;  // some of it still cannot be read
  // What of a file cannot be read now, for an account of what may be missing.
  bool bad(const std::filesystem::path& file, std::uint64_t offset) const;

  // For the wrappers. How many of the bytes can be read; nullopt: the first of them lies in a bad sector, and
  // the read that asked has failed.
  std::optional<std::uint64_t> readable(int fd, std::uint64_t offset, std::uint64_t size);
  void written(int fd, std::uint64_t offset, std::uint64_t size);

 private:
  struct Entry;
  struct Table;

  Id add(Entry&& entry, Extent extent, Lasting lasting);
  bool wrong(Entry& entry);

  Table* table_;
  std::map<Id, int> pins_;  // descriptors
};

}  // namespace tideover::disk
