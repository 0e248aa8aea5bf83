// What stands on disk, and what is left of it after damage: envelopes, keys, the durable values of lanes and
// cursors, dead letters. What one version wrote it reads back; a byte that changed is noticed; anything else
// is refused in order.
//
// Input: attributes and totals of a record, then its payload; the same bytes are also taken for each of the
// other formats.
#include <cstdint>

#include "forwarders/reject_record.h"
#include "wal/base/invariant.h"
#include "wal/base/little_endian.h"
#include "wal/queue_state.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

struct Input {
  Seq seq;
  Totals through;
  NewRecord record;
  std::size_t damaged_at = 0;
  char damage = 0;
};

Input read_input(std::string_view bytes) {
  LittleEndianReader from(bytes);
  Input input;
  const auto reachable = [&from] { return from.next<std::uint64_t>() % kNumberMax; };
  input.seq = Seq{1 + reachable() % (kNumberMax - 1)};  // the first record has 1
  input.through.records = reachable();
  input.through.units = reachable();
  input.through.bytes = reachable();
  Attributes& a = input.record.attributes;
  a.arrival_ms = from.next<std::int64_t>();
  a.oldest_ms = from.next<std::int64_t>();
  a.newest_ms = from.next<std::int64_t>();
  a.encoding = from.next<std::uint16_t>();
  a.flags = from.next<std::uint16_t>();
  a.units = from.next<std::uint32_t>();
  a.raw_bytes = from.next<std::uint32_t>();
  for (std::uint32_t& tally : a.tallies) tally = from.next<std::uint32_t>();
  input.damaged_at = from.next<std::uint16_t>();
  input.damage = static_cast<char>(from.next<std::uint8_t>() | 1);
  constexpr std::size_t kHead = 8 + 24 + 24 + 12 + 16 + 3;
  input.record.bytes.assign(kEnvelopeBytes, '\0');
  if (bytes.size() > kHead) input.record.bytes += bytes.substr(kHead);
  return input;
}

bool same(const Attributes& a, const Attributes& b) {
  return a.encoding == b.encoding && a.flags == b.flags && a.units == b.units && a.raw_bytes == b.raw_bytes &&
         a.tallies == b.tallies && a.arrival_ms == b.arrival_ms && a.oldest_ms == b.oldest_ms &&
         a.newest_ms == b.newest_ms;
}

Result<StoredRecord> opened(std::string_view bytes) {
  return open_envelope(std::make_shared<const std::string>(bytes));
}

void check_envelope(Input input) {
  const std::string payload(input.record.payload());
  seal_envelope(input.record, input.seq, input.through);
  std::string sealed = input.record.bytes;
  const Result<StoredRecord> record = opened(sealed);
  invariant(record.has_value(), "what was sealed opens");
  invariant(record->seq == input.seq && record->through == input.through, "number and totals are kept");
  invariant(same(record->attributes, input.record.attributes) && record->payload() == payload,
            "a record is kept");
  invariant(envelope_extent(sealed + "behind") == sealed.size(), "an envelope knows where its record ends");

  const std::string between = payload.substr(0, payload.size() / 2);
  const std::size_t found = find_envelope(between + sealed, 0);
  invariant(found <= between.size(),
            "a record among other bytes is found, or something in front that looks like one");

  char& byte = sealed[input.damaged_at % sealed.size()];
  byte = static_cast<char>(byte ^ input.damage);
  invariant(!opened(sealed).has_value(), "a byte that changed is noticed");
  invariant(!opened(sealed.substr(0, input.damaged_at % sealed.size())).has_value(),
            "and a record cut short");
}

// Walks as the salvage of a table does: no place is met twice, and nothing lies outside.
void check_search(std::string_view bytes) {
  std::size_t from = 0;
  for (std::size_t at = find_envelope(bytes, 0); at != std::string_view::npos;
       at = find_envelope(bytes, from)) {
    invariant(at >= from, "the search goes forward");
    const std::size_t extent = envelope_extent(bytes.substr(at));
    invariant(extent >= kEnvelopeBytes && extent <= bytes.size() - at, "an envelope lies inside the bytes");
    opened(bytes.substr(at, extent)).has_value();
    from = at + 1;
  }
}

void check_states(std::string_view bytes) {
  if (const auto lane = decode_lane(bytes); lane && lane->number)
    invariant(decode_lane(encode(*lane)) == lane, "a lane's state is kept");
  if (const auto cursor = decode_cursor(bytes))
    invariant(decode_cursor(encode(*cursor)) == cursor, "a cursor's state is kept");
  if (const auto key = parse_record_key(bytes))
    invariant(record_key(key->lane, key->seq) == bytes, "a key is kept");
  if (const auto name = parse_lane_key(bytes)) invariant(lane_key(*name) == bytes, "a lane's key is kept");
  if (const auto name = parse_cursor_key(bytes))
    invariant(cursor_key(name->lane, name->cursor) == bytes, "a cursor's key is kept");
}

void check_reject(std::string_view bytes) {
  const auto view = forward::read_reject(bytes);
  if (!view) return;
  invariant(view->message.size() <= bytes.size(), "the refused message lies in the dead letter");
  NewRecord refused;
  refused.bytes = std::string(kEnvelopeBytes, '\0').append(view->message);
  const NewRecord letter = forward::reject_record(view->note, refused);
  const auto again = forward::read_reject(letter.payload());
  invariant(again.has_value() && again->message == view->message, "a dead letter is kept");
  invariant(again->note.reason == view->note.reason && again->note.units == view->note.units &&
                again->note.encoding == view->note.encoding &&
                again->note.refused_ms == view->note.refused_ms,
            "and so is the note on it");
}

}  // namespace
}  // namespace tideover::wal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideover::wal;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_envelope(read_input(bytes));
  opened(bytes).has_value();
  check_search(bytes);
  check_states(bytes);
  check_reject(bytes);
  return 0;
}
