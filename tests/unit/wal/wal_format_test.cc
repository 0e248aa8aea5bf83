#include "wal/wal_format.h"

#include <catch2/catch.hpp>

#include "tests/support/catch_result.h"
#include "tests/support/threaded_life.h"
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
