// Our records in bytes that have lost their structure: found by what all envelopes have in common, and proved
// by their checksums and by the keys that stand in front of them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "wal/record.h"
#include "wal/wal_format.h"

namespace tideover::wal {

struct ProvedRecord {
  RecordKey key;
  StoredRecord record;  // a copy
};

// Nothing unless `value` is as it was written, under this key.
std::optional<ProvedRecord> prove_record(std::string_view key, std::string_view value);

class RecordScan {
 public:
  // The key of the value that begins at `begin` and is `size` bytes long; empty: there is none.
  using KeyOf = std::function<std::string_view(std::size_t begin, std::size_t size)>;

  RecordScan(std::string_view bytes, std::size_t from, KeyOf key_of)
      : bytes_(bytes), key_of_(std::move(key_of)), at_(from) {}

  struct Found {
    std::size_t begin = 0;
    std::size_t end = 0;  // as it says itself
    std::optional<ProvedRecord> proved;
  };
  // The next that looks like one. Behind one that is not proved the next may begin before it seems to end,
  // since its length may be what is damaged.
  std::optional<Found> next();

 private:
  const std::string_view bytes_;
  const KeyOf key_of_;
  std::size_t at_;
};

}  // namespace tideover::wal
