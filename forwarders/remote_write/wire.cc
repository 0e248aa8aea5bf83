#include "forwarders/remote_write/wire.h"

namespace tideover::remote_write::wire {

bool Reader::skip(std::uint32_t tag, int depth) {
  std::uint64_t number;
  std::string_view span;
  switch (type_of(tag)) {
    case kVarint: return varint(number);
    case kFixed64: return fixed64(number);
    case kBytes: return bytes(span);
    case kFixed32:
      if (end_ - at_ < 4) return false;
      at_ += 4;
      return true;
    case kGroupStart:
      if (depth >= kGroupDepthMax) return false;
      for (std::uint32_t inner;;) {
        if (!this->tag(inner)) return false;
        if (type_of(inner) == kGroupEnd) return field_of(inner) == field_of(tag);
        if (!skip(inner, depth + 1)) return false;
      }
    case kGroupEnd: return false;  // of a group that never began
  }
  return false;  // types 6 and 7 do not exist
}

}  // namespace tideover::remote_write::wire
