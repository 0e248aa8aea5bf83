#include "wal/rocks/log_file.h"

#include <unistd.h>
#include <utility>

#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_format.h"

namespace tideover::wal {

std::string_view LogFile::block(std::uint64_t number) {
  constexpr std::uint64_t kBlocks = 32;
  if (number < first_ || number >= first_ + kBlocks || bytes_.empty()) {
    auto bytes = reader_.read_file(path_, number * kLogBlock, kBlocks * kLogBlock);
    if (!bytes) error_ = bytes.error();
    bytes_ = bytes ? std::move(*bytes) : std::string();
    first_ = number;
  }
  const std::size_t at = (number - first_) * kLogBlock;
  return at < bytes_.size() ? std::string_view(bytes_).substr(at, kLogBlock) : std::string_view();
}

Result<std::uint64_t> read_log(CarefulReader& reader, const std::string& path,
                               const std::function<bool(std::string_view)>& take) {
  LogFile file(reader, path);
  std::uint64_t dropped = 0;
  while (const auto piece = file.next()) {
    if (!piece->intact)
      dropped += piece->end - piece->begin;
    else if (!take(piece->record))
      break;
  }
  if (file.error()) return *file.error();
  return dropped;
}

std::string clean_log(const std::string& path) { return path + ".clean"; }

std::string log_to_read(const std::string& path) {
  return ::access(clean_log(path).c_str(), F_OK) == 0 ? clean_log(path) : path;
}

}  // namespace tideover::wal
