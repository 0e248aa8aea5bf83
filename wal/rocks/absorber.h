// Takes what tables and logs hold that belong to no database any more, or to one that is built anew, into the
// open one. Internal to wal/rocks. Blocking.
//
// What was taken in is durable after flush(), and only then may its source be let go. A source that is taken
// in twice does no harm.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wal/base/result.h"
#include "wal/rocks/handle.h"
#include "wal/rocks/meta.h"

namespace tideover::wal {

class Absorber {
 public:
  enum class Records : std::uint8_t { all, missing };  // which of a source's are put

  // `meta` is what the database has of it already. References outlive it.
  Absorber(const RocksSetup& setup, const RocksHandle& handle, MetaImage meta, Records which);
  ~Absorber();

  // False: the table is damaged, and what could be found in it is taken in. Errors: io_error: nothing of it
  // is to be let go.
  Result<bool> table(const std::string& path);
  Result<> log(const std::string& path);  // a damaged one is salvaged first

  // Whether a table holds nothing but what was given back: most of what a manifest forgets is that, and a
  // look at both ends is enough.
  bool all_released(const std::string& path) const;

  // Errors: disk_full, io_error, also of what was put before.
  Result<> flush(std::string_view tried);
  std::uint64_t records() const;  // that were put

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::wal
