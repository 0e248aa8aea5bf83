// What a disk would still have after a power cut: pure bookkeeping, no system call.
//
// The file system itself is real, and shows what the page cache shows. This remembers which of it no sync has
// made durable: bytes of files by fsync of the file, names by fsync of their directory, and nothing else by
// either. after_power_cut() then chooses what of the rest got there by chance.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tideover::disk {

using Inode = std::uint64_t;

struct Name {
  Inode inode = 0;
  bool directory = false;
};
using Names = std::map<std::string, Name>;  // by absolute path

// A change of names that no directory sync has confirmed. Atomic, as every file system makes it.
struct NameChange {
  enum class Kind : std::uint8_t { add, move, remove } kind = Kind::add;
  std::string path;
  std::string to;  // of a move; what stood there is replaced
  Name name;
  std::uint64_t serial = 0;
};

struct Write {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string before;  // what was there, as far as something was; the rest was beyond the file's end
  std::uint64_t serial = 0;
};

struct File {
  std::uint64_t size = 0;
  std::vector<Write> unsynced;
};

// What happens to one file's bytes.
struct Loss {
  struct Patch {
    std::uint64_t offset = 0;
    std::string bytes;
  };
  std::vector<Patch> patches;  // applied first
  std::uint64_t size = 0;      // then the file is cut here
};

struct Aftermath {
  Names names;
  std::map<Inode, Loss> losses;
  std::string summary;
};

using Dice = std::function<std::uint64_t(std::uint64_t below)>;

class Model {
 public:
  // Found at the start: durable.
  void found(const std::string& path, Name name, std::uint64_t size);

  void added(const std::string& path, Name name);
  void moved(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void written(Inode inode, std::uint64_t offset, std::uint64_t length, std::string before);
  void truncated(Inode inode,
                 std::uint64_t size);  // taken as durable: nothing that matters is ever shortened

  // A sync covers what was there when it began: take down the serial at its begin, confirm at its end.
  std::uint64_t serial() const { return serial_; }
  void file_synced(Inode inode, std::uint64_t serial);
  void directory_synced(const std::string& directory, std::uint64_t serial);

  Names now() const;  // with every change
  std::uint64_t size(Inode inode) const;
  Aftermath after_power_cut(const Dice& dice) const;

 private:
  Names durable_;
  std::vector<NameChange> pending_;
  std::map<Inode, File> files_;
  std::set<std::string> directories_;  // all that ever were
  std::uint64_t serial_ = 0;           // of the last change
};

}  // namespace tideover::disk
