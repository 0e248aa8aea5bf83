// The table of symbols of a 2.0 request being written: "" first, each string once, numbered as they come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/fields_v2.h"
#include "forwarders/remote_write/out_buffer.h"

namespace tideover::remote_write::v2 {

class SymbolWriter {
 public:
  SymbolWriter() : slots_(kSlotsMin, kFree) { ref({}); }

  std::uint32_t ref(std::string_view symbol);  // `symbol` outlives the writer
  void write(OutBuffer& out) const;            // as fields of a request

 private:
  struct Symbol {
    std::string_view bytes;
    std::size_t hash;
  };
  static constexpr std::uint32_t kFree = UINT32_MAX;
  static constexpr std::size_t kSlotsMin = 1024;

  void widen();

  std::vector<Symbol> symbols_;
  // Open addressing, a power of two, at most half full: indices into symbols_.
  std::vector<std::uint32_t> slots_;
};

// From the references of one message to those of the request being written. A symbol is looked up by its
// bytes once, and enters the request only when something refers to it.
class RefMap {
 public:
  RefMap(const SymbolTable& from, SymbolWriter& to) : from_(from), to_(to), refs_(from.size(), kUnset) {}

  bool has(std::uint32_t ref) const { return ref < refs_.size(); }
  std::uint32_t operator[](std::uint32_t ref) {
    std::uint32_t& mapped = refs_[ref];
    if (mapped == kUnset) mapped = to_.ref(from_[ref]);
    return mapped;
  }

 private:
  static constexpr std::uint32_t kUnset = UINT32_MAX;

  const SymbolTable& from_;
  SymbolWriter& to_;
  std::vector<std::uint32_t> refs_;
};

}  // namespace tideover::remote_write::v2
