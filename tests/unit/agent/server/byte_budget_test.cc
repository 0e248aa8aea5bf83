// A budget that several servers share: each has a part that nobody else can take.
#include "agent/server/byte_budget.h"

#include <catch2/catch.hpp>
#include <memory>

#include "agent/server/connections.h"
#include "tests/support/sim_clock.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;

using sim::SimClock;

struct Budget {
  explicit Budget(std::size_t bytes) : whole(std::make_shared<ByteBudget>(bytes, 250ms)) {}

  boost::asio::io_context io;
  SimClock clock{io};
  Connections open{clock};
  std::shared_ptr<ByteBudget> whole;
};

// A request that begins now.
struct Client {
  Client(Budget& budget, ByteShare& share)
      : connection(budget.open, Socket(budget.io)), charge(share, connection) {
    connection.awaited_since = budget.clock.now();
  }
  Connection connection;
  Charge charge;
};

TEST_CASE("what is charged is given back when it ends") {
  Budget b(100);
  ByteShare share(b.whole, 100);
  {
    Client client(b, share);
    CHECK(client.charge.resize(60));
    CHECK(share.used() == 60);
    CHECK_FALSE(client.charge.resize(101));
    CHECK(share.used() == 60);
    CHECK(client.charge.resize(20));
    CHECK(share.free() == 80);
  }
  CHECK(share.used() == 0);
}

TEST_CASE("a slow body gives way to one that comes, its bytes at once and its client on the next turn") {
  Budget b(100);
  ByteShare share(b.whole, 100);
  Client slow(b, share);
  CHECK(slow.charge.resize(90));
  b.clock.run_for(2s);
  Client quick(b, share);
  CHECK(quick.charge.declare(100));
  CHECK_FALSE(quick.charge.declare(101));
  CHECK(quick.charge.resize(50));
  CHECK(slow.connection.gave_way);
  CHECK(slow.connection.timed_out);
  CHECK_FALSE(quick.connection.gave_way);
  CHECK(share.used() == 50);
}

TEST_CASE("who asks is refused when it is the slowest itself, and nobody is cut for it") {
  Budget b(100);
  ByteShare share(b.whole, 100);
  Client slow(b, share);
  CHECK(slow.charge.resize(10));
  b.clock.run_for(10s);
  Client quick(b, share);
  CHECK(quick.charge.resize(80));
  CHECK_FALSE(slow.charge.resize(30));
  CHECK_FALSE(quick.connection.gave_way);
  CHECK(slow.charge.resize(20));
}

TEST_CASE("a body that has arrived is never cut: its record waits for the sync") {
  Budget b(100);
  ByteShare share(b.whole, 100);
  Client waits(b, share);
  CHECK(waits.charge.resize(90));
  waits.charge.arrived();
  b.clock.run_for(1h);
  Client quick(b, share);
  CHECK_FALSE(quick.charge.declare(11));
  CHECK_FALSE(quick.charge.resize(11));
  CHECK(quick.charge.resize(10));
  CHECK_FALSE(waits.connection.gave_way);
  CHECK(share.used() == 100);
}

TEST_CASE("one that has just begun to come is not asked to make room for another") {
  Budget b(100);
  ByteShare share(b.whole, 100);
  Client first(b, share);
  CHECK(first.charge.resize(90));
  b.clock.run_for(200ms);
  Client second(b, share);
  CHECK_FALSE(second.charge.declare(40));
  b.clock.run_for(100ms);
  CHECK(second.charge.declare(40));
}

TEST_CASE("a small request is admitted beside large ones that have just begun, a large one is not") {
  Budget b(100);
  ByteShare share(b.whole, 100);
  Client first(b, share);
  Client second(b, share);
  CHECK(first.charge.resize(50));
  CHECK(second.charge.resize(50));
  Client small(b, share);
  CHECK_FALSE(small.charge.declare(90));
  CHECK(small.charge.declare(20));
  CHECK(small.charge.resize(20));
  CHECK(first.connection.gave_way != second.connection.gave_way);
  CHECK(share.used() == 70);
}

TEST_CASE("three servers share what is left over, and none takes the part of another") {
  Budget b(300);
  ByteShare one(b.whole, 80);
  ByteShare two(b.whole, 80);
  ByteShare three(b.whole, 80);
  CHECK(one.most() == 140);
  Client hog(b, one);
  CHECK(hog.charge.resize(140));
  CHECK_FALSE(hog.charge.resize(141));
  hog.charge.arrived();
  Client of_two(b, two);
  Client of_three(b, three);
  CHECK(of_two.charge.resize(80));
  CHECK_FALSE(of_two.charge.resize(81));
  CHECK(of_three.charge.resize(80));
  CHECK(one.used() + two.used() + three.used() == 300);
}

TEST_CASE("a slow body beyond its server's part gives way to another server's, one within it does not") {
  Budget b(300);
  ByteShare one(b.whole, 100);
  ByteShare two(b.whole, 100);
  Client slow(b, one);
  const std::size_t held = GENERATE(100, 200);
  CHECK(slow.charge.resize(held));
  b.clock.run_for(5s);
  Client quick(b, two);
  const bool beyond = held > 100;
  CHECK(quick.charge.declare(200));
  CHECK(quick.charge.resize(200));
  CHECK(slow.connection.gave_way == beyond);
  CHECK_FALSE(quick.charge.resize(201));
}

TEST_CASE("a server that ends gives its part back") {
  Budget b(300);
  ByteShare one(b.whole, 100);
  {
    const ByteShare two(b.whole, 200);
    CHECK(one.most() == 100);
  }
  CHECK(one.most() == 300);
  CHECK(one.free() == 300);
}

}  // namespace
}  // namespace tideover::server
