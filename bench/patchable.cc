#include "bench/patchable.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "forwarders/remote_write/snappy.h"
#include "wal/base/invariant.h"
#include "wal/base/rng.h"

namespace tideover::bench {
namespace {

using Filling = std::array<char, kOpenBytes>;

constexpr int kAttempts = 64;
constexpr std::uint32_t kNoRole = UINT32_MAX;

Filling varint_of(std::uint64_t value) {
  Filling bytes;
  for (std::size_t i = 0; i < kOpenBytes; ++i) bytes[i] = static_cast<char>((value >> (7 * i)) | 0x80);
  bytes.back() = static_cast<char>(bytes.back() & 0x7f);
  return bytes;
}

// For each byte of the decoded message: where in `compressed` its literal stands. The block format is
// described in snappy's format_description.txt; the input is our own, so it is well formed.
std::vector<std::uint32_t> origins(std::string_view compressed, std::size_t decoded_bytes) {
  std::vector<std::uint32_t> origin;
  origin.reserve(decoded_bytes);
  std::size_t at = 0;
  const auto byte = [&](std::size_t offset) { return static_cast<unsigned char>(compressed[offset]); };
  const auto number = [&](std::size_t offset, int bytes) {
    std::uint32_t value = 0;
    for (int i = bytes; i-- > 0;) value = value << 8 | byte(offset + static_cast<std::size_t>(i));
    return value;
  };
  while (byte(at++) >= 0x80) {
  }
  while (at < compressed.size()) {
    const std::uint32_t tag = byte(at++);
    if ((tag & 3) == 0) {
      std::uint32_t length = tag >> 2;
      if (length >= 60) {
        const int extra = static_cast<int>(length) - 59;
        length = number(at, extra);
        at += static_cast<std::size_t>(extra);
      }
      for (std::uint32_t i = 0; i <= length; ++i) origin.push_back(static_cast<std::uint32_t>(at++));
      continue;
    }
    const std::uint32_t length = (tag & 3) == 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2);
    const int extra = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    const std::uint32_t back = number(at, extra) | ((tag & 3) == 1 ? (tag >> 5) << 8 : 0);
    at += static_cast<std::size_t>(extra);
    for (std::uint32_t i = 0; i < length; ++i) origin.push_back(origin[origin.size() - back]);
  }
  invariant(origin.size() == decoded_bytes, "our own snappy block decodes to its message");
  return origin;
}

// What each byte of the message is: kNoRole, or which byte of which filling.
std::vector<std::uint32_t> roles(const OpenMessage& message, const std::vector<std::uint16_t>& filling_of) {
  std::vector<std::uint32_t> role(message.bytes.size(), kNoRole);
  for (std::size_t i = 0; i < message.slots.size(); ++i) {
    for (std::size_t b = 0; b < kOpenBytes; ++b) {
      role[message.slots[i].offset + b] = static_cast<std::uint32_t>(filling_of[i] * kOpenBytes + b);
    }
  }
  return role;
}

// The role of each literal, or nullopt when one literal has two.
std::optional<std::unordered_map<std::uint32_t, std::uint32_t>> literal_roles(
    const std::vector<std::uint32_t>& role, const std::vector<std::uint32_t>& origin) {
  std::unordered_map<std::uint32_t, std::uint32_t> found;
  for (std::size_t i = 0; i < role.size(); ++i) {
    if (role[i] != kNoRole && found.try_emplace(origin[i], role[i]).first->second != role[i]) {
      return std::nullopt;
    }
  }
  for (std::size_t i = 0; i < role.size(); ++i) {
    if (role[i] == kNoRole && found.contains(origin[i])) return std::nullopt;
  }
  return found;
}

}  // namespace

Result<PatchableRequest> PatchableRequest::make(OpenMessage message) {
  PatchableRequest request;
  std::vector<std::uint16_t> filling_of;
  for (const auto& slot : message.slots) {
    const auto known = std::find(request.ticks_.begin(), request.ticks_.end(), slot.tick);
    filling_of.push_back(static_cast<std::uint16_t>(known - request.ticks_.begin()));
    if (known == request.ticks_.end()) request.ticks_.push_back(slot.tick);
  }
  const std::vector<std::uint32_t> role = roles(message, filling_of);

  // Random stand-ins keep different fillings from sharing literals, and fillings from matching anything else.
  // Should it happen all the same, other stand-ins will do.
  Rng rng(message.bytes.size());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::vector<Filling> stand_ins;
    for (std::size_t i = 0; i < request.ticks_.size(); ++i)
      stand_ins.push_back(varint_of(rng.next() | 1ULL << 40));
    for (std::size_t i = 0; i < message.slots.size(); ++i) {
      const Filling& filling = stand_ins[filling_of[i]];
      std::copy(filling.begin(), filling.end(), message.bytes.begin() + message.slots[i].offset);
    }
    remote_write::compress(message.bytes, request.body_);
    const auto literals = literal_roles(role, origins(request.body_, message.bytes.size()));
    if (!literals) continue;
    for (const auto& [offset, which] : *literals) {
      request.patches_.push_back({offset, static_cast<std::uint16_t>(which / kOpenBytes),
                                  static_cast<std::uint8_t>(which % kOpenBytes)});
    }
    return request;
  }
  return fail(Errc::bad_input, "no stand-ins keep apart from the rest of a request");
}

void PatchableRequest::stamp(std::int64_t base_ms, std::uint32_t repetition) {
  std::vector<Filling> fillings;
  fillings.reserve(ticks_.size());
  for (const std::uint32_t tick : ticks_) {
    if (tick == OpenMessage::kRepetition) {
      const std::string value = churn_value(repetition);
      std::copy(value.begin(), value.end(), fillings.emplace_back().begin());
    } else {
      fillings.push_back(varint_of(static_cast<std::uint64_t>(base_ms) + tick));
    }
  }
  for (const Patch& patch : patches_) body_[patch.offset] = fillings[patch.filling][patch.byte];
}

}  // namespace tideover::bench
