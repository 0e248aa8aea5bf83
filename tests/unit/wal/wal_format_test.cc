#include "wal/wal_format.h"

#include <catch2/catch.hpp>

#include "tests/support/catch_result.h"
#include "tests/support/threaded_life.h"
#include "wal/base/little_endian.h"
#include "wal/queue_state.h"

namespace tideover::wal {
namespace {

using test_support::record;

Result<StoredRecord> opened(const NewRecord& sealed) {
  return open_envelope(std::make_shared<const std::string>(sealed.bytes));
}

TEST_CASE("an envelope says which lane its record was written to") {
  NewRecord sealed = record("a");
  seal_envelope(sealed, Seq{5}, {5, 5, 500}, name_check("metrics"));
  const auto found = opened(sealed);
  REQUIRE(found);
  CHECK(found->name_check == name_check("metrics"));
  CHECK(found->name_check != name_check("logs"));
  CHECK(found->span == 1);
  CHECK(found->first() == Seq{5});
}

TEST_CASE("a pack says which numbers it stands for") {
  NewRecord sealed = record("many", 40);
  seal_pack(sealed, Seq{10}, 4, {10, 100, 1000});
  const auto found = opened(sealed);
  REQUIRE(found);
  CHECK(found->span == 4);
  CHECK(found->first() == Seq{7});
  CHECK(found->name_check == 0);
  CHECK(before(*found).units == 60);
  CHECK(find_envelope("in front" + sealed.bytes, 0) == 8);
}

TEST_CASE("an envelope in which any byte has changed is damage") {
  NewRecord sealed = record("payload");
  seal_envelope(sealed, Seq{5}, {5, 5, 500}, name_check("metrics"));
  REQUIRE(envelope_checks(sealed.bytes));
  for (std::size_t at = 0; at < sealed.bytes.size(); ++at) {
    NewRecord changed = sealed;
    changed.bytes[at] = static_cast<char>(changed.bytes[at] ^ 0x10);
    INFO("byte " << at);
    CHECK(opened(changed).error().code == Errc::corrupt);
    CHECK_FALSE(envelope_checks(changed.bytes));
  }
  for (std::size_t size = 0; size < sealed.bytes.size(); ++size) {
    NewRecord cut = sealed;
    cut.bytes.resize(size);
    CHECK(opened(cut).error().code == Errc::corrupt);
  }
}

TEST_CASE("a version or a kind that is not known is not read, although its checksum holds") {
  constexpr std::size_t kVersionAt = 8, kKindAt = 9;  // docs/WAL_FORMAT.md section 2
  const auto [version, kind, read] =
      GENERATE(std::tuple(2, 0, true), std::tuple(1, 0, true), std::tuple(1, 1, false),
               std::tuple(3, 0, false), std::tuple(2, 2, false), std::tuple(0, 0, false));
  NewRecord sealed = record("payload");
  seal_envelope(sealed, Seq{5}, {5, 5, 500}, name_check("metrics"));
  sealed.bytes[kVersionAt] = static_cast<char>(version);
  sealed.bytes[kKindAt] = static_cast<char>(kind);
  store_le<std::uint64_t>(sealed.bytes.data(), envelope_checksum(sealed.bytes));
  CAPTURE(version, kind);
  CHECK(opened(sealed).has_value() == read);
}

TEST_CASE("a pack of no numbers, or of more than there are, is damage") {
  for (const std::uint32_t span : {0U, 11U}) {
    NewRecord sealed = record("many");
    seal_pack(sealed, Seq{10}, span, {10, 100, 1000});
    CHECK(opened(sealed).error().code == Errc::corrupt);
  }
}

TEST_CASE("numbers and totals that no lane reaches are damage") {
  NewRecord sealed = record("a");
  seal_envelope(sealed, Seq{kNumberMax}, {1, 1, 1});
  CHECK(opened(sealed).error().code == Errc::corrupt);
  seal_envelope(sealed, Seq{1}, {1, kNumberMax, 1});
  CHECK(opened(sealed).error().code == Errc::corrupt);
}

}  // namespace
}  // namespace tideover::wal
