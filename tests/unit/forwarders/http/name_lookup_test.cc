#include "forwarders/http/name_lookup.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <netdb.h>
#include <thread>

#include "tests/support/loop.h"
#include "wal/base/task_group.h"

namespace {

// A name server that answers when the test says so.
struct Resolver {
  std::mutex mutex;
  std::condition_variable changed;
  bool answers = true;
  int calls = 0;
  int under_way = 0;

  int look_up() {
    std::unique_lock lock(mutex);
    ++calls;
    ++under_way;
    changed.notify_all();
    changed.wait(lock, [this] { return answers; });
    --under_way;
    changed.notify_all();
    return 0;
  }

  void hang() {
    const std::lock_guard lock(mutex);
    answers = false;
    calls = 0;
  }

  void answer_and_wait_until_all_are_back() {
    std::unique_lock lock(mutex);
    answers = true;
    changed.notify_all();
    changed.wait(lock, [this] { return under_way == 0; });
  }

  int count() {
    const std::lock_guard lock(mutex);
    return calls;
  }
};

Resolver resolver;

}  // namespace

extern "C" int getaddrinfo(const char* name, const char*, const addrinfo*, addrinfo** list) {
  const int failure = resolver.look_up();
  if (failure != 0 || std::string_view(name) == "unknown.test") return EAI_NONAME;
  if (std::string_view(name) == "system.test") return errno = EMFILE, EAI_SYSTEM;
  if (std::string_view(name) == "empty.test") return 0;
  static sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f000001);
  auto* found = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo)));
  found->ai_family = AF_INET;
  found->ai_addrlen = sizeof(address);
  found->ai_addr = reinterpret_cast<sockaddr*>(&address);
  *list = found;
  return 0;
}

extern "C" void freeaddrinfo(addrinfo* list) { std::free(list); }

namespace tideover::http {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a name becomes its addresses, with the port asked for") {
  test::Loop loop;
  NameLookup lookup(loop.io, loop.clock, "known.test", 19291);
  auto task = [&]() -> awaitable<void> {
    const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10s);
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 1);
    CHECK(found->front().address().to_string() == "127.0.0.1");
    CHECK(found->front().port() == 19291);
  };
  loop.run(task());
}

TEST_CASE("a name that leads nowhere is an error that names it and says why") {
  const std::string name = GENERATE("unknown.test", "system.test", "empty.test");
  const std::string why = name == "unknown.test"  ? ::gai_strerror(EAI_NONAME)
                          : name == "system.test" ? std::strerror(EMFILE)
                                                  : "it has no address";
  test::Loop loop;
  NameLookup lookup(loop.io, loop.clock, name, 1);
  auto task = [&]() -> awaitable<void> {
    const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10s);
    REQUIRE(found.has_error());
    CHECK(found.error().code == Errc::connect_failed);
    CHECK(found.error().detail == "cannot resolve " + name + ": " + why);
  };
  loop.run(task());
}

TEST_CASE("lookups leave no descriptor open") {
  const auto open_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  test::Loop loop;
  NameLookup lookup(loop.io, loop.clock, "known.test", 1);
  auto task = [&]() -> awaitable<void> {
    const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10s);
    CHECK(found.has_value());
  };
  loop.run(task());
  const auto before = open_now();
  for (int i = 0; i < 5; ++i) loop.run(task());
  while (open_now() > before) std::this_thread::yield();  // the thread lets go of its own end last
}

TEST_CASE("an address needs no name server") {
  resolver.hang();
  test::Loop loop;
  NameLookup lookup(loop.io, loop.clock, "::1", 1);
  auto task = [&]() -> awaitable<void> {
    const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10s);
    CHECK(found.has_value());
  };
  loop.run(task());
  CHECK(resolver.count() == 0);
  resolver.answer_and_wait_until_all_are_back();
}

TEST_CASE("a dead name server costs its callers their deadline, and one thread in all") {
  resolver.hang();
  test::Loop loop;
  NameLookup lookup(loop.io, loop.clock, "known.test", 1);
  TaskGroup beside(loop.io.get_executor(), loop.clock);
  Result<Endpoints> shared = fail(Errc::stopping, "not run");
  auto waits_longer = [&]() -> awaitable<void> { shared = co_await lookup.resolve(loop.clock.now() + 50s); };
  auto task = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10ms);
      REQUIRE(found.has_error());
      CHECK(found.error().code == Errc::connect_failed);
    }
    beside.spawn(waits_longer());
    const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10ms);
    CHECK(found.has_error());
    CHECK(resolver.count() == 1);
    resolver.answer_and_wait_until_all_are_back();
    co_await beside.join_until(loop.clock.now() + 50s);
    CHECK(shared.has_value());
    const Result<Endpoints> again = co_await lookup.resolve(loop.clock.now() + 10s);
    CHECK(again.has_value());
    CHECK(resolver.count() == 2);  // nothing is cached
  };
  loop.run(task());
}

TEST_CASE("the end of everything does not wait for a lookup, which finds nothing of it when it ends") {
  resolver.hang();
  {
    test::Loop loop;
    NameLookup lookup(loop.io, loop.clock, "known.test", 1);
    auto task = [&]() -> awaitable<void> {
      const Result<Endpoints> found = co_await lookup.resolve(loop.clock.now() + 10ms);
      CHECK(found.has_error());
    };
    loop.run(task());
  }
  resolver.answer_and_wait_until_all_are_back();
  CHECK(resolver.count() == 1);
}

}  // namespace
}  // namespace tideover::http
