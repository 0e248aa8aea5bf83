// Mutations that keep a protobuf message readable: fields are dropped, doubled, moved, taken from elsewhere
// or changed inside, and the lengths around them follow. Bytes flipped at random break a length nearly every
// time, and a parser that refuses the message is all that they test.
//
// No schema: bytes that read as fields are taken for a message. Every third input is left to libFuzzer's own
// mutations, so that broken bytes are tried, too.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/wire.h"
#include "wal/base/rng.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace tideover::fuzz {
namespace {

namespace wire = remote_write::wire;

constexpr int kDepthMax = 5;

struct Field {
  std::uint32_t tag = 0;
  std::string bytes;  // everything behind the tag; of a length-delimited field its contents

  bool delimited() const { return wire::type_of(tag) == wire::kBytes; }
};

bool split(std::string_view message, std::vector<Field>& fields) {
  wire::Reader reader(message);
  while (!reader.done()) {
    Field field;
    std::string_view bytes;
    if (!reader.tag(field.tag)) return false;
    const char* const begin = reader.at();
    if (field.delimited()) {
      if (!reader.bytes(bytes)) return false;
      field.bytes = bytes;
    } else {
      if (!reader.skip(field.tag)) return false;
      field.bytes.assign(begin, reader.at());
    }
    fields.push_back(std::move(field));
  }
  return true;
}

std::string join(const std::vector<Field>& fields) {
  std::string message;
  for (const Field& field : fields) {
    if (field.delimited()) {
      wire::put_bytes(message, wire::field_of(field.tag), field.bytes);
    } else {
      wire::put_varint(message, field.tag);
      message += field.bytes;
    }
  }
  return message;
}

// libFuzzer's own mutation: it knows the dictionary and the values that comparisons waited for.
void mutate_bytes(std::string& bytes, Rng& rng) {
  const std::size_t size = bytes.size();
  bytes.resize(size + 1 + rng.below(8));
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), size, bytes.size()));
}

void mutate_number(Field& field, Rng& rng) {
  if (wire::type_of(field.tag) != wire::kVarint) {
    const std::size_t size = field.bytes.size();
    mutate_bytes(field.bytes, rng);
    field.bytes.resize(size);
    return;
  }
  field.bytes.clear();
  const std::uint64_t wide = rng.next() >> rng.below(64);
  wire::put_varint(field.bytes, rng.chance(0.1) ? 0 - wide : rng.chance(0.7) ? rng.below(40) : wide);
}

bool mutate(std::string& message, const std::vector<Field>& others, Rng& rng, int depth);

void change(Field& field, const std::vector<Field>& others, Rng& rng, int depth) {
  if (!field.delimited()) return mutate_number(field, rng);
  const bool deeper = depth < kDepthMax && rng.chance(0.85) && mutate(field.bytes, others, rng, depth + 1);
  if (!deeper) mutate_bytes(field.bytes, rng);
}

// False, and nothing is changed, when the bytes are no message.
bool mutate(std::string& message, const std::vector<Field>& others, Rng& rng, int depth) {
  std::vector<Field> fields;
  if (!split(message, fields) || fields.empty()) return false;
  const std::size_t at = rng.below(fields.size());
  const auto place = fields.begin() + static_cast<std::ptrdiff_t>(at);
  switch (rng.below(depth == 0 ? 9 : 12)) {
    case 0: fields.erase(place); break;
    case 1: fields.insert(place, Field(fields[rng.below(fields.size())])); break;
    case 2: std::swap(fields[at], fields[rng.below(fields.size())]); break;
    case 3:
      if (!others.empty()) fields.insert(place, others[rng.below(others.size())]);
      break;
    case 4:
      fields[at].tag ^= static_cast<std::uint32_t>(1 + rng.below(7)) << (rng.chance(0.7) ? 3 : 0);
      break;
    default: change(fields[at], others, rng, depth);
  }
  message = join(fields);
  return true;
}

// The fields of a message and those inside them.
void collect(std::string_view message, std::vector<Field>& all, int depth) {
  std::vector<Field> fields;
  if (depth > kDepthMax || !split(message, fields)) return;
  for (const Field& field : fields) {
    if (field.delimited()) collect(field.bytes, all, depth + 1);
    all.push_back(field);
  }
}

std::size_t hand_over(const std::string& message, std::uint8_t* data, std::size_t size_max) {
  const std::size_t size = std::min(message.size(), size_max);
  std::memcpy(data, message.data(), size);
  return size;
}

}  // namespace
}  // namespace tideover::fuzz

using namespace tideover;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
  Rng rng(seed);
  std::string message(reinterpret_cast<const char*>(data), size);
  if (rng.chance(0.33) || !fuzz::mutate(message, {}, rng, 0)) return LLVMFuzzerMutate(data, size, size_max);
  return fuzz::hand_over(message, data, size_max);
}

// A field of one input goes into another.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second, std::size_t second_size,
                                                 std::uint8_t* out, std::size_t size_max, unsigned seed) {
  Rng rng(seed);
  std::string message(reinterpret_cast<const char*>(first), first_size);
  std::vector<fuzz::Field> others;
  fuzz::collect({reinterpret_cast<const char*>(second), second_size}, others, 0);
  fuzz::mutate(message, others, rng, 0);
  return fuzz::hand_over(message, out, size_max);
}
