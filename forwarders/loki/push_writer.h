// Builds Loki's push request (protobuf, not compressed) stream by stream, without a tree.
//
// Fields in the order and form in which generated code writes them, so that what was read and written again
// is the same bytes. A stream without entries is left out: Loki takes it and keeps nothing of it. The same
// labels may come again later; nothing is merged. Nothing is checked: labels, order and sizes are the
// caller's.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "forwarders/loki/push_fields.h"

namespace tideover::loki {

// Appends one pair as PushEntry::metadata has them.
void put_pair(std::string& metadata, const Pair& pair);

class PushWriter {
 public:
  void stream(std::string_view labels);   // ends the one before
  void relabel(std::string_view labels);  // the stream begun last: they may be known only behind its entries

  // Of the stream begun last. An entry without a stream is a mistake of the caller, and ends the process.
  void entry(std::int64_t ns, std::string_view line, std::span<const Pair> metadata);
  void entry(std::int64_t ns, std::string_view line, std::string_view metadata);  // as PushEntry has it

  std::uint64_t bytes() const;  // of the message if it were taken now
  std::uint32_t entries() const { return entries_; }
  std::int64_t oldest_ns() const { return entries_ > 0 ? oldest_ns_ : 0; }
  std::int64_t newest_ns() const { return entries_ > 0 ? newest_ns_ : 0; }

  std::string take();  // the message; begins anew

 private:
  void end_stream();

  std::string message_;  // streams that have ended
  std::string labels_;   // of the stream under way, and its entries
  std::string open_;
  std::string pairs_;  // scratch
  bool begun_ = false;
  std::uint32_t entries_ = 0;
  std::int64_t oldest_ns_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t newest_ns_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace tideover::loki
