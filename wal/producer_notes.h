// What producers have noted beside their records (file positions), as durable. Executor: io.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wal/queue.h"
#include "wal/store.h"

namespace tideover::wal {

class ProducerNotes {
 public:
  void take(const StoreImage& image);                          // all that it has
  void put(const std::string& key, const std::string& value);  // an empty value removes it

  std::optional<std::string> find(std::string_view key) const;
  std::vector<Checkpoint> all(std::string_view prefix) const;
  std::vector<Checkpoint> missing_in(const StoreImage& image) const;  // or not the same there

 private:
  std::map<std::string, std::string, std::less<>> notes_;
};

}  // namespace tideover::wal
