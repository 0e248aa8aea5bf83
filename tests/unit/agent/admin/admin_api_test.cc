// What each route answers, and who may ask for what.
#include "agent/admin/admin_api.h"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "agent/admin/process_figures.h"
#include "tests/support/loop.h"

namespace tideover::admin {
namespace {

struct Api {
  std::string not_ready;
  bool left_backlog = false;
  int reloads = 0, retries = 0;
  Result<> outcome;
  std::vector<std::string> dropped;

  Hooks hooks() {
    Hooks hooks;
    hooks.snapshot = [] {
      Snapshot s;
      s.build.version = "1.2.3";
      s.signals.emplace_back().name = "metrics";
      s.signals[0].destinations.emplace_back().name = "thanos";
      return s;
    };
    hooks.not_ready = [this] { return not_ready; };
    hooks.reload = [this](bool leave_backlog) {
      ++reloads;
      left_backlog = leave_backlog;
      return outcome;
    };
    hooks.retry_now = [this](std::string_view signal) {
      ++retries;
      return signal.empty() ? Result<>() : outcome;
    };
    hooks.drop_cursor = [this](std::string_view signal, std::string_view destination) {
      dropped.push_back(std::string(signal) + "/" + std::string(destination));
      return outcome;
    };
    return hooks;
  }

  std::optional<http::Response> ask(const std::vector<server::Route>& routes, const std::string& method,
                                    const std::string& target) {
    for (const server::Route& route : routes) {
      if (route.method != method || route.path != http::path_of(target)) continue;
      http::Request request;
      request.method = method;
      request.target = target;
      return loop.result_of(route.handle(std::move(request)));
    }
    return std::nullopt;
  }
  http::Response get(const std::string& target) {
    return ask(reading_routes(hooks()), "GET", target).value();
  }
  http::Response post(const std::string& target) {
    return ask(operator_routes(hooks()), "POST", target).value();
  }

 private:
  test::Loop loop;
};

TEST_CASE("the pages are of their kinds, are never kept, and say what the snapshot says") {
  Api api;
  const http::Response metrics = api.get("/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.headers.find("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(metrics.body.find("tideover_build_info{version=\"1.2.3\"") != std::string::npos);
  for (const auto& [path, holds] : {std::pair("buildinfo", "1.2.3"),
                                    {"buffer", "metrics"},
                                    {"destinations", "thanos"},
                                    {"ledger", "thanos"}}) {
    INFO(path);
    const http::Response page = api.get(std::string("/api/v1/status/") + path);
    CHECK(page.status == 200);
    CHECK(page.headers.find("Content-Type") == "application/json");
    CHECK(page.headers.find("Cache-Control") == "no-store");
    CHECK_NOTHROW(boost::json::parse(page.body));
    CHECK(page.body.find(holds) != std::string::npos);
  }
}

TEST_CASE("healthy is who answers, ready who can keep records") {
  Api api;
  CHECK(api.get("/-/healthy").status == 200);
  CHECK(api.get("/-/ready").status == 200);
  api.not_ready = "the store is being opened";
  CHECK(api.get("/-/healthy").status == 200);
  const http::Response not_yet = api.get("/-/ready");
  CHECK(not_yet.status == 503);
  CHECK(not_yet.headers.find("Content-Type") == "text/plain; charset=utf-8");
  CHECK(not_yet.body == "the store is being opened\n");
}

TEST_CASE("what changes the agent is on the operator's socket alone, and only as POST") {
  Api api;
  for (const server::Route& route : reading_routes(api.hooks())) CHECK(route.method == "GET");
  for (const char* verb :
       {"/-/reload", "/api/v1/buffer/replay-parked", "/api/v1/buffer/drop-cursor?destination=a"}) {
    INFO(verb);
    CHECK_FALSE(api.ask(reading_routes(api.hooks()), "POST", verb));
    CHECK_FALSE(api.ask(operator_routes(api.hooks()), "GET", verb));
    CHECK(api.post(verb).status == 200);
  }
  CHECK(api.reloads == 1);
  CHECK_FALSE(api.left_backlog);
  api.post("/-/reload?leave_backlog=true");
  CHECK(api.left_backlog);
  api.post("/-/reload?leave_backlog=yes");
  CHECK_FALSE(api.left_backlog);
  CHECK(api.retries == 1);
  CHECK(api.dropped == std::vector<std::string>{"/a"});
  CHECK(api.ask(operator_routes(api.hooks()), "GET", "/metrics"));
}

TEST_CASE("a verb's error is its answer: 404 for what is not there, 400 for anything else") {
  Api api;
  CHECK(api.post("/-/reload").body == "done\n");
  api.outcome = fail(Errc::bad_input, "the file is faulty");
  const http::Response faulty = api.post("/-/reload");
  CHECK(faulty.status == 400);
  CHECK(faulty.body == "the file is faulty\n");
  api.outcome = fail(Errc::not_found, "no such destination");
  CHECK(api.post("/api/v1/buffer/drop-cursor?destination=a").status == 404);
  CHECK(api.post("/api/v1/buffer/replay-parked?signal=x").status == 404);
  CHECK(api.post("/api/v1/buffer/replay-parked").status == 200);
}

TEST_CASE("a cursor is dropped by the names in the query, in any order, and never without one") {
  Api api;
  const auto dropped = [&api](const std::string& query) {
    api.dropped.clear();
    const http::Response answer = api.post("/api/v1/buffer/drop-cursor" + query);
    if (answer.status == 400) return std::string("400");
    return api.dropped.at(0);
  };
  CHECK(dropped("?destination=a") == "/a");
  CHECK(dropped("?signal=logs&destination=a") == "logs/a");
  CHECK(dropped("?destination=a&signal=logs") == "logs/a");
  CHECK(dropped("?x&&destination=a-1&y=") == "/a-1");
  CHECK(dropped("?destinations=b&destination=a") == "/a");
  CHECK(dropped("") == "400");
  CHECK(dropped("?") == "400");
  CHECK(dropped("?destination") == "400");
  CHECK(dropped("?destination=") == "400");
  CHECK(dropped("?my-destination=a") == "400");
  CHECK(dropped("?destinations=a") == "400");
}

TEST_CASE("the figures of the process are its own") {
  const ProcessFigures before = process_figures();
  const int descriptor = ::dup(STDERR_FILENO);
  rusage usage{};
  double used = 0;
  do {  // until some of both kinds of time is used
    REQUIRE(::getrusage(RUSAGE_SELF, &usage) == 0);
    used = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  } while (usage.ru_utime.tv_usec < 2000 || usage.ru_stime.tv_usec < 2000);
  const ProcessFigures figures = process_figures();
  CHECK(figures.cpu_seconds > used - 1e-6);  // whole microseconds, added up in another order
  CHECK(figures.cpu_seconds < used + 1);
  CHECK(figures.open_fds == before.open_fds + 1);
  CHECK(figures.resident_bytes > 1 << 20);
  CHECK(figures.resident_bytes <= figures.resident_bytes_max + (1 << 20));
  CHECK(figures.resident_bytes_max < std::uint64_t{8} << 30);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(figures.max_fds == limit.rlim_cur);
  ::close(descriptor);
}

}  // namespace
}  // namespace tideover::admin
