// The account of the crash tests must see each fault that it is there for.
#include "tests/crash/agent/account.h"

#include <catch2/catch.hpp>

namespace tideover::crash {

TEST_CASE("an acknowledged sample that never came is lost, an unacknowledged one is not", "[crash]") {
  Account account(1);
  account.offered({0, 1}, 2);
  account.offered({0, 2}, 2);
  account.acknowledged({0, 1});
  account.received({0, 1}, 1, true);
  CHECK(account.findings().lost == 1);
  CHECK(account.outstanding() == 1);
}

TEST_CASE("what lay where the disk cannot be read may be missing, and nothing else", "[crash]") {
  Account account(1);
  for (std::uint32_t number = 1; number <= 2; ++number) {
    account.offered({0, number}, 2);
    account.acknowledged({0, number});
  }
  account.may_be_lost({0, 1});
  account.received({0, 1}, 1, true);
  CHECK(account.findings().unreadable == 1);
  CHECK(account.findings().lost == 2);
  CHECK_FALSE(account.findings().clean());
}

TEST_CASE("cursors that fell back explain what comes once more, once", "[crash]") {
  Account account(1);
  account.offered({0, 1}, 1);
  account.received({0, 1}, 0, true);
  account.answered({0, 1}, SeriesSet(1));
  for (int i = 0; i < 3; ++i) account.beat();
  account.cursors_may_fall_back();
  account.received({0, 1}, 0, true);
  CHECK(account.findings().unexplained_duplicates == 0);
  account.answered({0, 1}, SeriesSet(1));
  for (int i = 0; i < 3; ++i) account.beat();
  account.received({0, 1}, 0, true);
  CHECK(account.findings().unexplained_duplicates == 1);
}

TEST_CASE("a request that is delivered in two may come again until both were answered", "[crash]") {
  Account account(1);
  account.offered({0, 1}, 2);
  account.received({0, 1}, 0, true);
  account.received({0, 1}, 1, true);
  account.answered({0, 1}, SeriesSet(1));
  for (int i = 0; i < 3; ++i) account.beat();
  account.received({0, 1}, 0, true);
  CHECK(account.findings().unexplained_duplicates == 0);
  account.answered({0, 1}, SeriesSet(2));
  for (int i = 0; i < 3; ++i) account.beat();
  account.received({0, 1}, 0, true);
  CHECK(account.findings().unexplained_duplicates == 1);
}

TEST_CASE("a sample that nobody offered is altered", "[crash]") {
  Account account(1);
  account.offered({0, 1}, 2);
  account.received({0, 1}, 1, false);
  account.received({0, 1}, 2, true);
  account.received({0, 2}, 0, true);
  account.received({7, 1}, 0, true);
  CHECK(account.findings().altered == 4);
}

TEST_CASE("a sample that comes for the first time after a newer one is out of order", "[crash]") {
  Account account(1);
  for (std::uint32_t number = 1; number <= 3; ++number) account.offered({0, number}, 1);
  account.received({0, 1}, 0, true);
  account.received({0, 3}, 0, true);
  CHECK(account.findings().out_of_order == 0);
  account.received({0, 2}, 0, true);
  CHECK(account.findings().out_of_order == 1);
}

TEST_CASE("a duplicate is explained until the first delivery must have been durable", "[crash]") {
  Account account(1);
  account.offered({0, 1}, 1);
  account.received({0, 1}, 0, true);
  account.answered({0, 1}, SeriesSet(1));
  SECTION("the life ended soon after") {
    account.beat();
    account.life_ended();
    for (int i = 0; i < 10; ++i) account.beat();
    account.received({0, 1}, 0, true);
    CHECK(account.findings().unexplained_duplicates == 0);
  }
  SECTION("three acknowledgements later") {
    for (int i = 0; i < 3; ++i) account.beat();
    account.received({0, 1}, 0, true);
    CHECK(account.findings().unexplained_duplicates == 1);
  }
  SECTION("the client itself offered it twice") {
    account.offered({0, 1}, 1);
    for (int i = 0; i < 3; ++i) account.beat();
    account.received({0, 1}, 0, true);
    CHECK(account.findings().unexplained_duplicates == 0);
  }
  CHECK(account.findings().duplicates == 1);
}

}  // namespace tideover::crash
