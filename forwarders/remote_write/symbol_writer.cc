#include "forwarders/remote_write/symbol_writer.h"

#include <functional>

namespace tideover::remote_write::v2 {

std::uint32_t SymbolWriter::ref(std::string_view symbol) {
  const std::size_t hash = std::hash<std::string_view>{}(symbol);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  for (; slots_[slot] != kFree; slot = (slot + 1) & mask) {
    const Symbol& known = symbols_[slots_[slot]];
    if (known.hash == hash && known.bytes == symbol) return slots_[slot];
  }
  const auto ref = static_cast<std::uint32_t>(symbols_.size());
  slots_[slot] = ref;
  symbols_.push_back({symbol, hash});
  if (2 * symbols_.size() > slots_.size()) widen();
  return ref;
}

void SymbolWriter::write(OutBuffer& out) const {
  for (const Symbol& symbol : symbols_) {
    char* to = out.room_for(wire::kHeadBytesMax + symbol.bytes.size());
    to = wire::write_head(to, kRequestSymbols, symbol.bytes.size());
    out.written_to(OutBuffer::append_to(to, symbol.bytes));
  }
}

void SymbolWriter::widen() {
  slots_.assign(2 * slots_.size(), kFree);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t ref = 0; ref < symbols_.size(); ++ref) {
    std::size_t slot = symbols_[ref].hash & mask;
    while (slots_[slot] != kFree) slot = (slot + 1) & mask;
    slots_[slot] = ref;
  }
}

}  // namespace tideover::remote_write::v2
