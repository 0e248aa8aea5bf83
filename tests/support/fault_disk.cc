#include "tests/support/fault_disk.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <set>

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

enum class Failing { no, eio, enospc };

// What the disk knows, shared by all open files.
struct Disk {
  std::mutex mutex;
  Failing failing = Failing::no;
  bool fail_next_log_sync = false;
  int log_syncs = 0;
  std::map<std::string, std::uint64_t> written, synced;  // bytes, by path
  // Directory entries made since the directory was synced; the old content of what a rename replaced.
  std::map<std::string, std::optional<std::string>> unsynced_entries;

  IOStatus status() const {
    if (failing == Failing::eio) return IOStatus::IOError("the test's disk is broken");
    if (failing == Failing::enospc) return IOStatus::NoSpace("the test's disk is full");
    return IOStatus::OK();
  }
};

bool is_log(const std::string& path) { return path.ends_with(".log"); }

class FaultFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultFile(std::unique_ptr<rocksdb::FSWritableFile> target, std::string path, std::shared_ptr<Disk> disk)
      : FSWritableFileOwnerWrapper(std::move(target)), path_(std::move(path)), disk_(std::move(disk)) {}

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard lock(disk_->mutex);
    if (auto status = disk_->status(); !status.ok()) return status;
    auto status = FSWritableFileOwnerWrapper::Append(data, options, debug);
    if (status.ok()) disk_->written[path_] += data.size();
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return FSWritableFileOwnerWrapper::Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return FSWritableFileOwnerWrapper::Fsync(options, debug); });
  }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();  // a hint, and no promise
  }

 private:
  template <class Call>
  IOStatus synced(const Call& call) {
    std::lock_guard lock(disk_->mutex);
    if (auto status = disk_->status(); !status.ok()) return status;
    if (is_log(path_)) {
      ++disk_->log_syncs;
      if (std::exchange(disk_->fail_next_log_sync, false))
        return IOStatus::IOError("the test made this sync fail");
    }
    auto status = call();
    if (status.ok()) disk_->synced[path_] = disk_->written[path_];
    return status;
  }

  const std::string path_;
  const std::shared_ptr<Disk> disk_;
};

class FaultDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultDirectory(std::unique_ptr<rocksdb::FSDirectory> target, std::string path, std::shared_ptr<Disk> disk)
      : FSDirectoryWrapper(std::move(target)), path_(std::move(path)), disk_(std::move(disk)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return FsyncWithDirOptions(options, debug, rocksdb::DirFsyncOptions());
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    std::lock_guard lock(disk_->mutex);
    if (auto status = disk_->status(); !status.ok()) return status;
    auto status = FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how);
    if (status.ok())
      std::erase_if(disk_->unsynced_entries, [&](const auto& entry) {
        return fs::path(entry.first).parent_path() == fs::path(path_);
      });
    return status;
  }

 private:
  const std::string path_;
  const std::shared_ptr<Disk> disk_;
};

std::string clean(const std::string& path) { return fs::path(path).lexically_normal().string(); }

std::optional<std::string> content_of(const std::string& path) {
  std::string bytes;
  if (!rocksdb::ReadFileToString(rocksdb::Env::Default(), path, &bytes).ok()) return std::nullopt;
  return bytes;
}

}  // namespace

class FaultDisk::Files final : public rocksdb::FileSystemWrapper {
 public:
  Files() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "tideover.test.FaultDisk"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* debug) override {
    std::lock_guard lock(disk->mutex);
    if (auto status = disk->status(); !status.ok()) return status;
    auto status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (!status.ok()) return status;
    const std::string name = clean(path);
    disk->written[name] = disk->synced[name] = 0;
    disk->unsynced_entries.try_emplace(name, std::nullopt);
    *file = std::make_unique<FaultFile>(std::move(*file), name, disk);
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewDirectory(path, options, directory, debug);
    if (status.ok()) *directory = std::make_unique<FaultDirectory>(std::move(*directory), clean(path), disk);
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    std::lock_guard lock(disk->mutex);
    if (auto status = disk->status(); !status.ok()) return status;
    const std::string source = clean(from), target = clean(to);
    disk->unsynced_entries.try_emplace(target, content_of(target));
    auto status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (!status.ok()) return status;
    disk->unsynced_entries.erase(source);
    disk->written[target] = disk->written[source];
    disk->synced[target] = disk->synced[source];
    return status;
  }
  // What is frozen cannot lose files either.
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* debug) override {
    std::lock_guard lock(disk->mutex);
    if (frozen) return disk->status();
    auto status = FileSystemWrapper::DeleteFile(path, options, debug);
    if (status.ok()) disk->unsynced_entries.erase(clean(path));
    return status;
  }

  const std::shared_ptr<Disk> disk = std::make_shared<Disk>();
  bool frozen = false;
};

FaultDisk::FaultDisk() : files_(std::make_shared<Files>()), env_(rocksdb::NewCompositeEnv(files_)) {}
FaultDisk::~FaultDisk() = default;

rocksdb::Env* FaultDisk::env() const { return env_.get(); }

void FaultDisk::fail_next_log_sync() {
  std::lock_guard lock(files_->disk->mutex);
  files_->disk->fail_next_log_sync = true;
}

void FaultDisk::fail_writes_with_eio() {
  std::lock_guard lock(files_->disk->mutex);
  files_->disk->failing = Failing::eio;
}

void FaultDisk::fail_writes_with_enospc() {
  std::lock_guard lock(files_->disk->mutex);
  files_->disk->failing = Failing::enospc;
}

void FaultDisk::heal() {
  std::lock_guard lock(files_->disk->mutex);
  files_->disk->failing = Failing::no;
  files_->frozen = false;
}

void FaultDisk::freeze() {
  std::lock_guard lock(files_->disk->mutex);
  files_->disk->failing = Failing::eio;
  files_->frozen = true;
}

void FaultDisk::lose_unsynced(bool torn) {
  std::lock_guard lock(files_->disk->mutex);
  Disk& disk = *files_->disk;
  for (const auto& [path, written] : disk.written) {
    std::error_code error;
    const std::uint64_t synced = disk.synced[path];
    if (written <= synced || !fs::exists(path, error)) continue;
    fs::resize_file(path, torn ? synced + (written - synced) / 2 : synced, error);
  }
  for (const auto& [path, before] : disk.unsynced_entries) {
    std::error_code error;
    if (before)
      rocksdb::WriteStringToFile(rocksdb::Env::Default(), *before, path).PermitUncheckedError();
    else
      fs::remove(path, error);
  }
  disk.written.clear();
  disk.synced.clear();
  disk.unsynced_entries.clear();
  disk.failing = Failing::no;
  files_->frozen = false;
}

int FaultDisk::log_syncs() const {
  std::lock_guard lock(files_->disk->mutex);
  return files_->disk->log_syncs;
}

}  // namespace tideover::wal
