// The records of one batch, decoded: their streams, each with all of its entries in the order in which they
// came, so that any run of items is a legal push and no cut puts a stream out of order.
//
// An item is an entry. Items are numbered stream by stream, in the order of `streams()`, which the owner may
// change before the first item is sent. Borrows nothing: it holds the decompressed records.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/loki/push_scan.h"
#include "forwarders/part.h"
#include "wal/base/result.h"
#include "wal/record.h"

namespace tideover::loki {

// A number of its labels, the same in every life.
std::uint64_t stream_hash(std::string_view labels);

struct BatchStream {
  std::uint64_t hash = 0;
  std::string_view labels;
  std::vector<PushEntry> entries;
  std::uint64_t bytes = 0;  // of lines and metadata
  std::int64_t oldest_ns = 0;
  std::int64_t newest_ns = 0;
};

// What a part of a batch holds of one of its streams.
struct StreamPart {
  const BatchStream* stream;
  std::size_t first;  // of its entries
  std::size_t last;
};

class Batch {
 public:
  // Errors: bad_input, when a record cannot be read.
  static Result<Batch> decode(std::span<const wal::StoredRecord> records);
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  const std::vector<BatchStream>& streams() const { return streams_; }
  void arrange(const std::vector<std::size_t>& order);  // of streams, as indices into streams()
  std::size_t items() const { return items_; }

  std::vector<StreamPart> streams_of(forward::Part part) const;  // `part` within items()
  std::string push(forward::Part part) const;                    // as a push request, not compressed

 private:
  Batch() = default;

  std::deque<std::string> raw_;       // entries point into it; a deque does not move what it holds
  std::deque<std::string> gathered_;  // metadata that was not in one piece
  std::vector<BatchStream> streams_;
  std::size_t items_ = 0;
};

}  // namespace tideover::loki
