#include "wal/rocks/log_guard.h"

#include <mutex>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <utility>

#include "wal/rocks/handle.h"

namespace tideover::wal {
namespace {

class Failure {
 public:
  void note(const rocksdb::IOStatus& status, std::string_view tried) {
    std::lock_guard lock(mutex_);
    if (!status.ok() && !first_) first_ = rocks_error(status, tried);
  }
  std::optional<Error> get() const {
    std::lock_guard lock(mutex_);
    return first_;
  }
  void reset() {
    std::lock_guard lock(mutex_);
    first_.reset();
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Error> first_;
};

constexpr std::string_view kSync = "sync the store's log";

class GuardedLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  GuardedLog(std::unique_ptr<rocksdb::FSWritableFile> log, std::shared_ptr<Failure> failure)
      : FSWritableFileOwnerWrapper(std::move(log)), failure_(std::move(failure)) {}

  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    if (!failure_->get()) failure_->note(FSWritableFileOwnerWrapper::Sync(options, debug), kSync);
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    if (!failure_->get()) failure_->note(FSWritableFileOwnerWrapper::Fsync(options, debug), kSync);
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::shared_ptr<Failure> failure_;
};

class ReplayedLog final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  ReplayedLog(std::unique_ptr<rocksdb::FSSequentialFile> log, std::shared_ptr<Failure> failure)
      : FSSequentialFileOwnerWrapper(std::move(log)), failure_(std::move(failure)) {}

  rocksdb::IOStatus Read(std::size_t size, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                         char* into, rocksdb::IODebugContext* debug) override {
    auto status = FSSequentialFileOwnerWrapper::Read(size, options, result, into, debug);
    failure_->note(status, "read the store's log");
    return status;
  }

 private:
  const std::shared_ptr<Failure> failure_;
};

bool is_log(const std::string& path) { return path.ends_with(".log"); }

}  // namespace

class LogGuard::Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(const std::shared_ptr<rocksdb::FileSystem>& below) : FileSystemWrapper(below) {}

  const char* Name() const override { return "tideover.LogGuard"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    auto status = FileSystemWrapper::NewSequentialFile(path, options, file, debug);
    if (status.ok() && is_log(path)) *file = std::make_unique<ReplayedLog>(std::move(*file), failure);
    return status;
  }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    // A table may hold records of the group whose log was not synced: without the log, which says that the
    // group is unfinished, they would count.
    if (const auto first = failure->get()) return rocksdb::IOStatus::IOError(first->detail);
    auto status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (status.ok() && is_log(path)) *file = std::make_unique<GuardedLog>(std::move(*file), failure);
    return status;
  }

  const std::shared_ptr<Failure> failure = std::make_shared<Failure>();
};

LogGuard::LogGuard(rocksdb::Env* below)
    : files_(std::make_shared<Files>(below->GetFileSystem())), env_(rocksdb::NewCompositeEnv(files_)) {}
LogGuard::~LogGuard() = default;

std::optional<Error> LogGuard::failure() const { return files_->failure->get(); }
void LogGuard::reset() { files_->failure->reset(); }

}  // namespace tideover::wal
