// A file system in memory for what reads logs: names, links, open files that have lost their name, inodes
// that are used again. Deterministic; time stands where set_now() has put it.
//
// Held to the same contract suite as PosixFiles. A write is there at once, as the page cache has it; what a
// power cut makes of logs is not its subject. Paths are absolute, without "." and "..".
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "agent/tail/files.h"

namespace tideover::tail {

class FakeFiles final : public Files {
 public:
  FakeFiles();
  ~FakeFiles() override;

  Result<std::vector<std::string>> list(const std::string& directory, std::size_t names_max) override;
  Result<FileInfo> look(const std::string& path) override;
  Result<std::unique_ptr<OpenFile>> open(const std::string& path) override;

  void make_directories(const std::string& path);
  void append(const std::string& path, std::string_view bytes);  // makes the file, not its directory
  void truncate(const std::string& path, std::size_t size);
  void rename(const std::string& from,
              const std::string& to);        // replaces what has that name; directories too
  void remove(const std::string& path);      // with all that is below it
  void make_other(const std::string& path);  // a link, a FIFO, a device
  bool exists(const std::string& path) const;
  std::string content(const std::string& path) const;

  // A writer's open file: it writes on wherever its name has gone.
  class Writer;
  std::unique_ptr<Writer> writer(const std::string& path);

  void set_now(std::int64_t unix_ns) { now_ns_ = unix_ns; }
  std::int64_t now() const { return now_ns_; }
  void set_open_files_max(std::size_t count) { open_files_max_ = count; }
  std::size_t open_files() const;
  void fail_reads(bool fail) { fail_reads_ = fail; }

 private:
  struct Node;
  struct Inodes;
  class Opened;
  using NodePtr = std::shared_ptr<Node>;

  NodePtr make(const std::string& path, Kind kind);
  NodePtr find(const std::string& path) const;
  void touch_parent(const std::string& path);
  void unlink(const std::string& path);

  std::shared_ptr<Inodes> inodes_;
  std::map<std::string, NodePtr> names_;
  std::int64_t now_ns_ = 1'000'000'000;
  std::size_t open_files_max_ = SIZE_MAX;
  std::shared_ptr<std::size_t> open_files_ = std::make_shared<std::size_t>(0);
  bool fail_reads_ = false;
};

class FakeFiles::Writer {
 public:
  Writer(FakeFiles& files, std::shared_ptr<void> node) : files_(files), node_(std::move(node)) {}
  void write(std::string_view bytes);

 private:
  FakeFiles& files_;
  std::shared_ptr<void> node_;
};

}  // namespace tideover::tail
