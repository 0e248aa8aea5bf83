#include "wal/rocks/store_format.h"

#include <cstdlib>
#include <fmt/format.h>
#include <xxhash.h>

#include "wal/rocks/careful_reader.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// A changed digit must not refuse a store.
std::string content_of(std::uint32_t version) {
  const std::string number = std::to_string(version);
  return fmt::format("{} {:016x}\n", number,
                     static_cast<std::uint64_t>(XXH3_64bits(number.data(), number.size())));
}

}  // namespace

Result<std::optional<std::uint32_t>> read_format_file(CarefulReader& reader, const std::string& directory) {
  const auto content = reader.read_file(directory + "/" + kFormatName);
  if (!content && content.error().code == Errc::not_found) return std::optional<std::uint32_t>();
  if (!content) return content.error();
  const auto version = static_cast<std::uint32_t>(std::strtoul(content->c_str(), nullptr, 10));
  return *content == content_of(version) ? std::optional(version) : std::nullopt;
}

Result<> write_format_file(const std::string& directory, std::uint32_t version) {
  return replace_file(directory + "/" + kFormatName, content_of(version));
}

Error newer_format(const std::string& directory, std::uint32_t version) {
  return fail(Errc::store_refused,
              fmt::format("{} is in format {}, and this version reads formats up to {}: run the version that "
                          "wrote it, or a newer one",
                          directory, version, kFormatVersion));
}

}  // namespace tideover::wal
