// Requests that intake and its server turn away, another number for each reason, and what the pages should
// show of them and of those that were stored.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/agent/expected_destination.h"
#include "tests/unit/agent/rich_history.h"

namespace tideover::test {

// What intake and the server answered to what they did not take, by what the test sent.
struct TurnedAway {
  explicit TurnedAway(History& history) : h(history) {
    for (const Version version : {Version::v1, Version::v2}) {
      const std::string type = History::content_type(version);
      const bool v2 = version == Version::v2;
      for (int i = 0; i < (v2 ? 5 : 1); ++i) partly(version, 90'000 + 100 * i + (v2 ? 10 : 0));
    }
    partly_ms = h.wall_ms();
    h.life->peer = 2;  // another sender, who names a tenant
    for (const Version version : {Version::v1, Version::v2}) {
      const std::string type = History::content_type(version);
      const bool v2 = version == Version::v2;
      say(v2 ? 6 : 2, "no snappy", type, 400, "X-Scope-OrgID: a\r\n");
      say(v2 ? 7 : 3, "\x80\x80\x80\x80\x04 that is a gigabyte", type, 413, "thanos-tenant: a\r\n");
    }
    say(9, {}, "text/plain", 415);
    h.disk.fail_opens_until_healed(Errc::io_error);
    h.disk.fail_next_commit(Errc::io_error);
    const std::string body = test::snappy_block(message(1));
    say(1, body, History::content_type(Version::v1), 503);
    say(3, {}, History::content_type(Version::v1), 503);  // what follows is not read
    say(8, {}, History::content_type(Version::v2), 503);
    refused_ms = h.wall_ms();
    h.disk.heal();
    h.pass(5s);
    h.post("other", 3, 95'000);
    h.life->peer = 1;

    say(1, "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404);
    say(2, "GET /api/v1/write HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405);
    say(3, "no HTTP at all\r\n\r\n", 400);
    say(4, "POST /api/v1/write HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 9\r\n\r\n", 417);
    say(5, "GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431);
    std::vector<int> slow;
    for (int i = 0; i < 6; ++i) slow.push_back(h.life->connect());
    for (const int client : slow) REQUIRE(::send(client, "POST", 4, MSG_NOSIGNAL) == 4);
    for (int i = 0; i < 100; ++i) h.life->clock.run_for(1ms);
    h.pass(12s);
    for (const int client : slow) CHECK(h.life->exchange(client, {}).status == 503);
  }

  void say(int times, const std::string& body, const std::string& type, int status,
           const std::string& tenant = {}) {
    for (int i = 0; i < times; ++i) {
      CHECK(h.life->post("/api/v1/write", body, type, tenant).status == status);
      refused_bytes += body.size();
      ++refused;
    }
  }
  void say(int times, const std::string& words, int status) {
    for (int i = 0; i < times; ++i) CHECK(h.life->exchange(words).status == status);
  }
  void partly(Version version, std::int64_t at_ms) {
    WriteRequest good;
    good.series({{"__name__", "partly"}, {"job", "a"}}).sample(at_ms, 1);
    WriteRequest all = good;
    all.series({{"__name__", "partly"}, {"", "a"}}).sample(at_ms, 1);
    CHECK(h.post(all, version, {{"partly", at_ms}}, &good).status == 400);
    ++h.floats;
    ++faulty_series;
  }

  History& h;
  std::uint64_t faulty_series = 0;
  std::uint64_t refused = 0, refused_bytes = 0;  // of the other sender
  std::int64_t partly_ms = 0, refused_ms = 0;    // when it was told so last
};

inline void expect_of_intake(Figures& f, const History& h, const TurnedAway& away) {
  const auto requests = [&f](const char* protocol, const char* answer, const char* code, double n) {
    const std::string name = std::string("tideover_receive_requests_total{protocol=\"") + protocol +
                             "\",answer=\"" + answer + "\",code=\"" + code + "\"}";
    if (n > 0)
      f.is("requests in", name, n);
    else
      f.exception("cannot be", name, 0);
  };
  requests("rw1", "stored", "204", static_cast<double>(h.requests.at({Version::v1, 204})));
  requests("rw2", "stored", "204", static_cast<double>(h.requests.at({Version::v2, 204})));
  requests("unknown", "stored", "204", 0);
  const std::array<std::array<double, 5>, 3> n{{{1, 2, 3, 0, 4}, {5, 6, 7, 0, 8}, {0, 0, 0, 9, 0}}};
  const std::array answers{std::pair("partly_stored", "400"), std::pair("undecodable", "400"),
                           std::pair("too_large", "413"), std::pair("unsupported", "415"),
                           std::pair("refused", "503")};
  for (std::size_t p = 0; p < 3; ++p)
    for (std::size_t a = 0; a < answers.size(); ++a)
      requests(std::array{"rw1", "rw2", "unknown"}[p], answers[a].first, answers[a].second, n[p][a]);

  f.is("entries", "tideover_receive_samples_total{type=\"float\"}", h.floats);
  f.is("entries", "tideover_receive_samples_total{type=\"histogram\"}", 2);
  f.is("entries", "tideover_receive_samples_total{type=\"exemplar\"}", 3);
  f.is("entries", "tideover_receive_samples_total{type=\"metadata\"}", 1);
  f.is("series", "tideover_receive_faulty_series_total", away.faulty_series);
  f.is("bytes", "tideover_receive_body_bytes_total", h.body_bytes);
  f.is("bytes", "tideover_receive_raw_bytes_total", h.raw_bytes);

  const auto rejected = [](const std::string& reason) {
    return "tideover_receive_rejected_requests_total{signal=\"metrics\",reason=\"" + reason + "\"}";
  };
  f.is("rejected", rejected("not_found"), 1);
  f.is("rejected", rejected("method"), 2);
  f.is("rejected", rejected("bad_request"), 3);
  f.is("rejected", rejected("expectation"), 4);
  f.is("rejected", rejected("too_large"), 5);
  f.is("rejected", rejected("slow"), 6);
  for (const char* reason : {"connections", "crowded_out", "over_budget", "gave_way", "stopping", "failed"})
    f.exception("each has a history of its own in tests/unit/agent/server", rejected(reason), 0);
}

inline void expect_of_senders(Figures& f, const History& h, const TurnedAway& away) {
  const auto member = [](int sender, const char* name) {
    return "senders/" + std::to_string(sender) + "/" + name;
  };
  std::uint64_t posts = 0, samples = 0;
  const Post* other = nullptr;
  for (const Post& post : h.posts) {
    if (post.life != h.life_number) continue;
    ++posts;
    samples += post.samples.size();
    if (post.samples.front().first == "other") other = &post;
  }
  REQUIRE(other != nullptr);
  const auto other_bytes = static_cast<double>(other->record_bytes - wal::kEnvelopeBytes);
  for (int i = 0; i < 2; ++i) f.says(member(i, "signal"), "metrics");
  f.says(member(0, "address"), "127.0.0.1");
  f.is("requests", member(0, "requests"), posts - 1);
  f.is("samples", member(0, "samples"), samples - other->samples.size());
  f.is("bytes", member(0, "bytes"), static_cast<double>(h.received_bytes) - other_bytes);
  f.is("requests", member(0, "refused"), away.faulty_series);
  f.holds(member(0, "last_error"), "400 ");
  f.is("last error", member(0, "last_error_timestamp"), seconds(away.partly_ms), kMoment);
  f.is("last request", member(0, "last_request_timestamp"), seconds(away.partly_ms), kMoment);
  f.says(member(1, "address"), "127.0.0.2");
  f.is("requests", member(1, "requests"), away.refused + 1);
  f.is("samples", member(1, "samples"), other->samples.size());
  f.is("bytes", member(1, "bytes"), static_cast<double>(away.refused_bytes) + other_bytes);
  f.is("requests", member(1, "refused"), away.refused);
  f.holds(member(1, "last_error"), "503 ");
  f.is("last error", member(1, "last_error_timestamp"), seconds(away.refused_ms), kMoment);
  f.is("last request", member(1, "last_request_timestamp"), seconds(other->until_ms), kMoment);
  f.is("tenants", member(1, "tenant_headers/X-Scope-OrgID"), 8);
  f.is("tenants", member(1, "tenant_headers/THANOS-TENANT"), 10);
  f.is("senders", "known", 2);
  f.exception("none had to give way: see senders_test.cc", "forgotten", 0);
}

}  // namespace tideover::test
