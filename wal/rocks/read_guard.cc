#include "wal/rocks/read_guard.h"

#include <cerrno>
#include <cstring>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <utility>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_file.h"

namespace tideover::wal {
namespace {

// One file below, read with care. RocksDB's own errors have no number: whatever is no refusal of a read never
// comes from a file that is open.
class CarefulFile {
 public:
  enum class Refused : std::uint8_t {
    as_changed,  // what cannot be read is filled, and so is damage of that place
    as_failure,  // it stays a failure: whoever reads it would throw more away than that place
  };

  CarefulFile(std::string path, std::uint64_t size, CarefulReader& reader, Refused refused)
      : path_(std::move(path)), size_(size), reader_(reader), refused_(refused) {}

  rocksdb::IOStatus read(const rocksdb::FSRandomAccessFile& below, std::uint64_t offset, std::size_t size,
                         const rocksdb::IOOptions& options, rocksdb::Slice* result, char* into,
                         rocksdb::IODebugContext* debug) const {
    // As RocksDB does it, unless the device refuses.
    const rocksdb::IOStatus status = below.Read(offset, size, options, result, into, debug);
    if (!status.IsIOError()) return status;
    const auto attempt = [&](char* to, std::size_t wanted, std::uint64_t at) {
      rocksdb::Slice got;
      if (!below.Read(at, wanted, options, &got, to, debug).ok()) return CarefulReader::Tried{0, EIO};
      if (got.data() != to) std::memmove(to, got.data(), got.size());
      return CarefulReader::Tried{got.size(), 0};
    };
    const auto done = reader_.read(path_, size_, attempt, into, size, offset);
    if (!done) return rocksdb::IOStatus::IOError(done.error().detail);
    if (refused_ == Refused::as_failure && holds_unreadable({into, *done}))
      return rocksdb::IOStatus::IOError(path_ + " has gone bad since it was looked through");
    *result = rocksdb::Slice(into, *done);
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::string path_;
  const std::uint64_t size_;
  CarefulReader& reader_;
  const Refused refused_;
};

class RandomFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomFile(std::unique_ptr<rocksdb::FSRandomAccessFile> below, CarefulFile file)
      : FSRandomAccessFileOwnerWrapper(std::move(below)), file_(std::move(file)) {}

  rocksdb::IOStatus Read(std::uint64_t offset, std::size_t size, const rocksdb::IOOptions& options,
                         rocksdb::Slice* result, char* into, rocksdb::IODebugContext* debug) const override {
    return file_.read(*target(), offset, size, options, result, into, debug);
  }
  rocksdb::IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count,
                              const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    return FSRandomAccessFile::MultiRead(requests, count, options, debug);  // one by one, through Read()
  }

 private:
  const CarefulFile file_;
};

// Read by position: a stream that has met an error does not say where it stands.
class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  SequentialFile(std::unique_ptr<rocksdb::FSRandomAccessFile> below, CarefulFile file)
      : below_(std::move(below)), file_(std::move(file)) {}

  rocksdb::IOStatus Read(std::size_t size, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                         char* into, rocksdb::IODebugContext* debug) override {
    const auto status = file_.read(*below_, at_, size, options, result, into, debug);
    if (status.ok()) at_ += result->size();
    return status;
  }
  rocksdb::IOStatus Skip(std::uint64_t bytes) override {
    at_ += bytes;
    return rocksdb::IOStatus::OK();
  }

 private:
  const std::unique_ptr<rocksdb::FSRandomAccessFile> below_;
  const CarefulFile file_;
  std::uint64_t at_ = 0;
};

class Files final : public rocksdb::FileSystemWrapper {
 public:
  Files(const std::shared_ptr<rocksdb::FileSystem>& below, CarefulReader& reader)
      : FileSystemWrapper(below), reader_(reader) {}

  const char* Name() const override { return "tideover.ReadGuard"; }

  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override {
    return open<RandomFile>(path, CarefulFile::Refused::as_changed, options, file, debug);
  }
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    using Refused = CarefulFile::Refused;
    if (!is_log(path)) return open<SequentialFile>(path, Refused::as_changed, options, file, debug);
    // A log that was damaged is read from where it was written anew. So no page of what is replayed was bad
    // when it was looked through (log_salvage.h), and of one that is now RocksDB would lose the rest of its
    // block: the store does not open (log_guard.h), and the next attempt finds the page.
    return open<SequentialFile>(log_to_read(path), Refused::as_failure, options, file, debug);
  }
  // A new log has nothing that stands for it.
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (is_log(path) && log_to_read(path) != path)
      if (auto status = FileSystemWrapper::DeleteFile(clean_log(path), options.io_options, debug);
          !status.ok())
        return status;
    return FileSystemWrapper::NewWritableFile(path, options, file, debug);
  }
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    auto status = FileSystemWrapper::DeleteFile(path, options, debug);
    // Crash in between: what is left belongs to no log, and is removed when the store is opened.
    if (status.ok() && is_log(path) && log_to_read(path) != path)
      FileSystemWrapper::DeleteFile(clean_log(path), options, debug).PermitUncheckedError();
    return status;
  }

 private:
  static bool is_log(const std::string& path) { return path.ends_with(".log"); }

  template <class Guarded, class File>
  rocksdb::IOStatus open(const std::string& path, CarefulFile::Refused refused,
                         const rocksdb::FileOptions& options, std::unique_ptr<File>* file,
                         rocksdb::IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSRandomAccessFile> below;
    auto status = FileSystemWrapper::NewRandomAccessFile(path, options, &below, debug);
    std::uint64_t size = 0;
    if (status.ok()) status = GetFileSize(path, options.io_options, &size, debug);
    if (status.ok())
      *file = std::make_unique<Guarded>(std::move(below), CarefulFile(path, size, reader_, refused));
    return status;
  }

  CarefulReader& reader_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> guard_reads(rocksdb::Env* below, CarefulReader& reader) {
  return rocksdb::NewCompositeEnv(std::make_shared<Files>(below->GetFileSystem(), reader));
}

}  // namespace tideover::wal
