// Which version of the format a directory is in, told by a file of its own: so that nothing is touched, and
// nothing repaired, before that is known. Blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wal/base/result.h"

namespace tideover::wal {

class CarefulReader;

inline constexpr const char* kFormatName = "FORMAT";

// Nothing when there is no such file (format 1 had none), or when it is damaged: the store's meta says the
// same. Errors: io_error.
Result<std::optional<std::uint32_t>> read_format_file(CarefulReader& reader, const std::string& directory);

// Replaces it in one step, durably. Errors: disk_full, io_error.
Result<> write_format_file(const std::string& directory, std::uint32_t version);

// The sentence that refuses what a newer version wrote.
Error newer_format(const std::string& directory, std::uint32_t version);

}  // namespace tideover::wal
