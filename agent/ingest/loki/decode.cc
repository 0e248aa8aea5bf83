#include "agent/ingest/loki/decode.h"

#include "agent/ingest/loki/json_push.h"
#include "agent/ingest/loki/sift.h"
#include "forwarders/remote_write/snappy.h"

namespace tideover::ingest::loki {
namespace {

Result<std::string> decode_json(std::string_view bytes, Packing packing) {
  JsonPush json;
  const Result<> read =
      inflate(bytes, packing, kDecodedBytesMax, [&json](std::string_view piece) { return json.read(piece); });
  if (!read) return read.error();
  return json.finish();
}

// Loki reads a snappy block whatever lies around it: what was packed with gzip was one before.
Result<std::string> decode_protobuf(std::string_view bytes, Packing packing) {
  std::string block;
  if (packing != Packing::none) {
    const Result<> read = inflate(bytes, packing, kDecodedBytesMax, [&block](std::string_view piece) {
      block += piece;
      return Result<>();
    });
    if (!read) return read.error();
    bytes = block;
  }
  std::string message;
  if (const Result<> decoded = remote_write::decompress(bytes, kDecodedBytesMax, message); !decoded)
    return decoded.error();
  return message;
}

}  // namespace

Result<std::string> decode(std::string_view bytes, const Body& body) {
  return body.json ? decode_json(bytes, body.packing) : decode_protobuf(bytes, body.packing);
}

}  // namespace tideover::ingest::loki
