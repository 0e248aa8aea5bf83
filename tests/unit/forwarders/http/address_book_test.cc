#include "forwarders/http/address_book.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::http {
namespace {

using boost::asio::ip::tcp;

tcp::endpoint at(const std::string& address) { return {boost::asio::ip::make_address(address), 1}; }

const tcp::endpoint kA = at("192.0.2.1");
const tcp::endpoint kB = at("192.0.2.2");
const tcp::endpoint kC = at("2001:db8::1");

TEST_CASE("addresses that never failed keep the system's order") {
  AddressBook book;
  CHECK(book.in_order({kC, kA, kB}) == Endpoints{kC, kA, kB});
}

TEST_CASE("the address whose last failure is longest ago has the next turn") {
  AddressBook book;
  book.failed(kA);
  CHECK(book.in_order({kA, kB, kC}) == Endpoints{kB, kC, kA});
  book.failed(kB);
  CHECK(book.in_order({kA, kB, kC}) == Endpoints{kC, kA, kB});
  book.failed(kC);
  CHECK(book.in_order({kA, kB, kC}) == Endpoints{kA, kB, kC});
  book.failed(kA);
  CHECK(book.in_order({kA, kB, kC}) == Endpoints{kB, kC, kA});
}

TEST_CASE("an address that works again has its place in the system's order again") {
  AddressBook book;
  book.failed(kA);
  book.answered(kA, 204);
  CHECK(book.in_order({kA, kB}) == Endpoints{kA, kB});
}

TEST_CASE("an address that the name no longer stands for is forgotten") {
  AddressBook book;
  book.failed(kA);
  book.in_order({kB});
  CHECK(book.in_order({kA, kB}) == Endpoints{kA, kB});
}

TEST_CASE("an address is left at its third refusal in a row, and at every one after that") {
  const int status = GENERATE(503, 500, 429, 408, 404, 401, 403, 405, 302, 101);
  AddressBook book;
  CHECK_FALSE(book.answered(kA, status));
  CHECK_FALSE(book.answered(kA, status));
  CHECK(book.answered(kA, status));
  CHECK(book.answered(kA, status));
  CHECK(book.in_order({kA, kB}) == Endpoints{kB, kA});
}

TEST_CASE("a receiver that takes data, or finds fault with it, is the one that was meant") {
  const int status = GENERATE(200, 204, 400, 409, 413, 415, 422);
  AddressBook book;
  for (int i = 0; i < 20; ++i) CHECK_FALSE(book.answered(kA, status));
  book.answered(kA, 503);
  book.answered(kA, 503);
  book.answered(kA, status);  // the two before are forgiven
  CHECK_FALSE(book.answered(kA, 503));
}

TEST_CASE("an address that finds fault with everything and takes nothing is left after thirty-two answers") {
  const int status = GENERATE(400, 409, 413, 422);
  AddressBook book;
  for (int i = 0; i < 40; ++i)
    CHECK_FALSE(book.answered(kA, i % 20 == 0 ? 204 : status));  // takes some of it
  book.answered(kA, 204);
  for (int i = 1; i < 32; ++i) CHECK_FALSE(book.answered(kA, status));
  CHECK(book.answered(kA, status));
  CHECK(book.in_order({kA, kB}) == Endpoints{kB, kA});
  CHECK_FALSE(book.answered(kA, status));
}

}  // namespace
}  // namespace tideover::http
