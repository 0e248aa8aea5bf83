#include "forwarders/remote_write/symbol_writer.h"

namespace tideover::remote_write::v2 {

std::uint32_t SymbolWriter::ref(std::string_view symbol) {
  const auto [at, fresh] = refs_.try_emplace(symbol, static_cast<std::uint32_t>(symbols_.size()));
  if (fresh) symbols_.push_back(symbol);
  return at->second;
}

void SymbolWriter::write(std::string& out) const {
  for (const std::string_view symbol : symbols_) wire::put_bytes(out, kRequestSymbols, symbol);
}

}  // namespace tideover::remote_write::v2
