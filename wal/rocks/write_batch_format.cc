#include "wal/rocks/write_batch_format.h"

#include <utility>

#include "wal/base/little_endian.h"

namespace tideover::wal {
namespace {

// db/write_batch.cc, db/dbformat.h: u64 sequence number, u32 count, and that many operations.
constexpr std::size_t kHeader = 12;
enum Tag : unsigned char { kDelete = 0, kPut = 1, kDeleteInFamily = 4, kPutInFamily = 5 };

std::string varint(std::uint32_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<char>(number | 0x80));
  bytes.push_back(static_cast<char>(number));
  return bytes;
}

}  // namespace

bool BatchReader::has_header() const { return bytes_.size() >= kHeader; }
std::uint64_t BatchReader::sequence() const { return load_le<std::uint64_t>(bytes_.data()); }
std::uint32_t BatchReader::count() const { return load_le<std::uint32_t>(bytes_.data() + 8); }

bool BatchReader::number(std::uint32_t& out) {
  out = 0;
  for (unsigned shift = 0; shift < 35 && at_ < bytes_.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    out |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool BatchReader::string(std::string_view& out) {
  std::uint32_t size = 0;
  if (!number(size) || bytes_.size() - at_ < size) return false;
  out = bytes_.substr(at_, size);
  at_ += size;
  return true;
}

std::optional<BatchOperation> BatchReader::next() {
  if (at_ == 0) at_ = kHeader;
  if (at_ >= bytes_.size()) return std::nullopt;
  const auto tag = static_cast<unsigned char>(bytes_[at_++]);
  BatchOperation operation;
  operation.put = tag == kPut || tag == kPutInFamily;
  if (!operation.put && tag != kDelete && tag != kDeleteInFamily) return std::nullopt;
  const bool named = tag == kPutInFamily || tag == kDeleteInFamily;
  if (named && !number(operation.family)) return std::nullopt;
  if (!string(operation.key) || (operation.put && !string(operation.value))) return std::nullopt;
  return operation;
}

std::optional<std::size_t> batch_extent(std::string_view bytes) {
  BatchReader reader(bytes);
  if (!reader.has_header() || reader.count() == 0) return std::nullopt;
  for (std::uint32_t i = 0; i < reader.count(); ++i)
    if (!reader.next()) return std::nullopt;
  return reader.at();
}

BatchBuilder::BatchBuilder() : bytes_(kHeader, '\0') {}

void BatchBuilder::put(std::uint32_t family, std::string_view key, std::string_view value) {
  bytes_.push_back(static_cast<char>(kPutInFamily));
  bytes_ += varint(family);
  bytes_ += varint(static_cast<std::uint32_t>(key.size()));
  bytes_ += key;
  bytes_ += varint(static_cast<std::uint32_t>(value.size()));
  bytes_ += value;
  ++count_;
}

std::string BatchBuilder::finish(std::uint64_t sequence) {
  store_le<std::uint64_t>(bytes_.data(), sequence);
  store_le<std::uint32_t>(bytes_.data() + 8, std::exchange(count_, 0));
  return std::exchange(bytes_, std::string(kHeader, '\0'));
}

std::optional<BatchOperation> put_before(std::string_view bytes, std::size_t value_at, std::size_t size,
                                         std::size_t key_size) {
  const std::string length = varint(static_cast<std::uint32_t>(size));
  const std::size_t front = 3 + key_size + length.size();  // tag, family below 128, length of a short key
  if (value_at < front || bytes.size() - value_at < size) return std::nullopt;
  const std::string_view before = bytes.substr(value_at - front, front);
  if (static_cast<unsigned char>(before[0]) != kPutInFamily ||
      static_cast<unsigned char>(before[1]) >= 0x80 || static_cast<std::size_t>(before[2]) != key_size ||
      before.substr(3 + key_size) != length)
    return std::nullopt;
  return BatchOperation{true, static_cast<std::uint32_t>(before[1]), before.substr(3, key_size),
                        bytes.substr(value_at, size)};
}

}  // namespace tideover::wal
