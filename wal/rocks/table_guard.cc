#include "wal/rocks/table_guard.h"

#include <filesystem>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace tideover::wal {

namespace fs = std::filesystem;

class TableGuard::Files final : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(const std::shared_ptr<rocksdb::FileSystem>& below) : FileSystemWrapper(below) {}

  const char* Name() const override { return "tideover.TableGuard"; }

  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    if (holding && path.ends_with(".sst")) return set_aside(path, options, debug);
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }
  // A manifest that has lost its end gives numbers out a second time.
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (holding && path.ends_with(".sst") && FileExists(path, options.io_options, debug).ok())
      if (auto status = set_aside(path, options.io_options, debug); !status.ok()) return status;
    return FileSystemWrapper::NewWritableFile(path, options, file, debug);
  }

  std::atomic<bool> holding = false, failed = false;

 private:
  rocksdb::IOStatus set_aside(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) {
    const fs::path table(path);
    const fs::path directory = table.parent_path() / kUnknownName;
    auto status = CreateDirIfMissing(directory.string(), options, debug);
    fs::path target = directory / table.filename();
    for (int i = 2; status.ok() && FileExists(target.string(), options, debug).ok(); ++i)
      target = directory / (table.stem().string() + "-" + std::to_string(i) + ".sst");
    if (status.ok()) status = RenameFile(path, target.string(), options, debug);
    if (!status.ok()) failed = true;
    return status;
  }
};

TableGuard::TableGuard(rocksdb::Env* below)
    : files_(std::make_shared<Files>(below->GetFileSystem())), env_(rocksdb::NewCompositeEnv(files_)) {}
TableGuard::~TableGuard() = default;

void TableGuard::hold() {
  files_->failed = false;
  files_->holding = true;
}
bool TableGuard::failed() const { return files_->failed; }
void TableGuard::release() { files_->holding = false; }

}  // namespace tideover::wal
