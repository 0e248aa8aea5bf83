// The layout of RocksDB's write batches, as far as ours need it: to look into those of a damaged log, and to
// write one that takes their place. Internal to wal/rocks/log_*.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tideover::wal {

struct BatchOperation {
  bool put = false;  // otherwise a removal
  std::uint32_t family = 0;
  std::string_view key;
  std::string_view value;
};

class BatchReader {
 public:
  explicit BatchReader(std::string_view bytes) : bytes_(bytes) {}

  // Of a batch that is there with its header.
  bool has_header() const;
  std::uint64_t sequence() const;  // of its first operation
  std::uint32_t count() const;     // of operations

  // One after the other; nothing at the end, or where it is no batch of puts and removals.
  std::optional<BatchOperation> next();
  std::size_t at() const { return at_; }  // behind the last operation

 private:
  bool number(std::uint32_t& out);
  bool string(std::string_view& out);

  const std::string_view bytes_;
  std::size_t at_ = 0;  // 0: before the header
};

// How many of `bytes` the write batch at their front takes. Nothing when it is not there to its end, or is
// not a batch of puts and removals.
std::optional<std::size_t> batch_extent(std::string_view bytes);

class BatchBuilder {
 public:
  BatchBuilder();

  void put(std::uint32_t family, std::string_view key, std::string_view value);
  std::uint32_t count() const { return count_; }
  std::string finish(std::uint64_t sequence);

 private:
  std::string bytes_;
  std::uint32_t count_ = 0;
};

// Where in `bytes` the operation begins that puts the value which begins at `value_at` and has `size` bytes,
// under a key of `key_size` bytes: for finding it when only the value is known. Nothing when the bytes in
// front of it say otherwise.
std::optional<BatchOperation> put_before(std::string_view bytes, std::size_t value_at, std::size_t size,
                                         std::size_t key_size);

}  // namespace tideover::wal
