// Snappy blocks from outside: taken exactly when libsnappy takes them and they keep to the limit, and joined
// without decompression as the merge of 1.0 does, even when no compressor would have written them so.
#include <cstdint>
#include <snappy.h>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/snappy.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

constexpr std::size_t kBytesMax = 1 << 20;

wal::StoredRecord record_of(std::string_view block) {
  wal::StoredRecord record;
  record.attributes.encoding = static_cast<std::uint16_t>(Version::v1);
  record.bytes = std::make_shared<const std::string>(std::string(wal::kEnvelopeBytes, '\0').append(block));
  return record;
}

std::string plain_of(std::string_view block) {
  std::string plain;
  invariant(::snappy::Uncompress(block.data(), block.size(), &plain), "libsnappy takes the block");
  return plain;
}

void check_block(std::string_view block) {
  std::string plain = "what was there before";
  const Result<> decoded = decompress(block, kBytesMax, plain);
  const Result<std::size_t> declared = declared_size(block);
  if (!decoded) {
    const bool too_large = declared.has_value() && *declared > kBytesMax;
    invariant((decoded.error().code == Errc::too_large) == too_large, "too large is what declares too much");
    invariant(too_large || !::snappy::IsValidCompressedBuffer(block.data(), block.size()),
              "a block that libsnappy takes is not refused");
    return;
  }
  invariant(plain == plain_of(block), "the block says what libsnappy reads in it");
  invariant(declared.has_value() && *declared == plain.size(), "it is as long as it declares");

  const std::vector<wal::StoredRecord> records{record_of(block), record_of(block), record_of(block)};
  const Result<Encoded> merged = merge(records);
  invariant(merged.has_value(), "blocks that decode can be joined");
  invariant(plain_of(merged->body) == plain + plain + plain, "blocks joined say what they said apart");
}

void check_round_trip(std::string_view raw) {
  std::string block = "what was there before";
  compress(raw, block);
  invariant(plain_of(block) == raw, "libsnappy reads what was compressed");
  std::string plain;
  invariant(decompress(block, kBytesMax, plain).has_value() && plain == raw, "and so do we");
}

}  // namespace
}  // namespace tideover::remote_write

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  tideover::remote_write::check_block(bytes);
  tideover::remote_write::check_round_trip(bytes);
  return 0;
}
