// Every figure that an operator can ask for is the figure of the test's own account, after a history in which
// everything happens that is counted.
#include <catch2/catch.hpp>

#include "agent/admin/metrics_page.h"
#include "agent/admin/status_json.h"
#include "forwarders/side_lanes.h"
#include "tests/unit/agent/expected_destination.h"
#include "tests/unit/agent/rich_history.h"
#include "tests/unit/agent/turned_away.h"

namespace tideover {
namespace {

using test::Expected;
using test::Figures;
using test::History;
using test::KeptBooks;
using test::kMoment;
using test::Post;
using test::Sample;
using test::seconds;
using test::TurnedAway;
using test::Version;
using test::WriteRequest;
using wal::Reason;

// What an account holds of reasons that no history of today brings about, as an agent before this one left
// it.
struct Older {
  std::array<std::uint64_t, wal::kReasons> lost{};
  std::uint64_t probable_duplicates, under_reported, stripped;

  std::uint64_t sum() const { return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0}); }
};

Older account_before(const std::string& name, std::uint64_t first, wal::MemStore& disk) {
  Older older{};
  for (std::uint64_t& n : older.lost) n = first += 10;
  older.probable_duplicates = first += 10;
  older.under_reported = first += 10;
  older.stripped = first += 10;
  const std::string key = wal::cursor_key("metrics", name);
  auto state = wal::decode_cursor(disk.meta(key).value());
  REQUIRE(state);
  REQUIRE(state->ledger.delivered > older.sum());
  state->ledger.delivered -= older.sum();
  for (std::size_t i = 0; i < wal::kReasons; ++i) state->ledger.lost[i] += older.lost[i];
  state->ledger.probable_duplicates += older.probable_duplicates;
  state->ledger.under_reported += older.under_reported;
  state->ledger.stripped += older.stripped;
  disk.set_meta(key, encode(*state));
  return older;
}

// One of each kind of entry, another number of each.
WriteRequest of_every_kind(std::int64_t at_ms) {
  WriteRequest request;
  request.series({{"__name__", "kinds"}, {"job", "a"}});
  for (int i = 0; i < 5; ++i) request.sample(at_ms + i, i);
  for (int i = 0; i < 3; ++i) request.exemplar({{"trace_id", std::to_string(i)}}, i, at_ms + i);
  request.metadata({"kinds", 2, "Of what kind it is.", ""});
  request.series({{"__name__", "kinds_seconds"}, {"job", "a"}});
  return request.histogram(test::valid_histogram(at_ms)).histogram(test::valid_histogram(at_ms + 1));
}

// Refuses some of them for good, and takes the others.
auto refuses(std::uint64_t out_of_order, std::uint64_t duplicate, std::uint64_t malformed) {
  return [=](KeptBooks& books, const std::vector<Sample>& samples) -> Result<http::Response> {
    const auto refused = static_cast<std::ptrdiff_t>(out_of_order + duplicate + malformed);
    books.take({samples.begin() + refused, samples.end()});
    books.refused[Reason::out_of_order] += out_of_order;
    books.refused[Reason::duplicate] += duplicate;
    books.refused[Reason::bad_request] += malformed;
    sim::Tally tally;
    tally.refused[static_cast<std::size_t>(sim::Refused::out_of_order)] = out_of_order;
    tally.refused[static_cast<std::size_t>(sim::Refused::duplicate)] = duplicate;
    tally.refused[static_cast<std::size_t>(sim::Refused::labels)] = malformed;
    return sim::answer_of_thanos(tally);
  };
}

// Takes them, and the reply is lost: asked again, it has them.
auto loses_its_reply() {
  return [](KeptBooks& books, const std::vector<Sample>& samples) -> Result<http::Response> {
    const bool had = books.taken.contains(samples.front());
    books.take(samples);
    if (!had) return fail(Errc::connection_lost, "reset");
    return History::answer(sim::Refused::out_of_order, samples.size());
  };
}

auto takes_and_counts_less(std::size_t less) {
  return [less](KeptBooks& books, const std::vector<Sample>& samples) -> Result<http::Response> {
    books.take(samples);
    return KeptBooks::all_written(samples.size() - less);
  };
}

auto is_too_old() {
  return [](KeptBooks&, const std::vector<Sample>& samples) {
    return History::answer(sim::Refused::too_old, samples.size());
  };
}

bool all_differ(const std::initializer_list<const KeptBooks*> books) {
  std::set<std::uint64_t> seen;
  for (const KeptBooks* b : books) {
    for (const char* code : {"2xx", "3xx", "4xx", "5xx", "network"}) {
      const auto it = b->answers.find(code);
      if (it == b->answers.end() || !seen.insert(it->second).second) return false;
    }
    if (!seen.insert(b->repeated).second) return false;
  }
  return true;
}

// What stands in the lanes of what was set aside and refused, by the disk's own word.
std::uint64_t bytes_aside(wal::MemStore& disk, const std::string& lane, std::uint64_t from,
                          std::uint64_t until) {
  const auto range =
      disk.read({wal::lane_id(lane), Seq{from}, Seq{until}, std::numeric_limits<std::uint64_t>::max()});
  REQUIRE(range.has_value());
  REQUIRE(range->records.size() == until - from);
  std::uint64_t bytes = 0;
  for (const wal::StoredRecord& record : range->records) bytes += record.bytes->size();
  return bytes;
}

// All of them took between one and two and a half milliseconds.
void expect_durations(Figures& f, const std::string& name, double count, double margin_of_count) {
  f.is("durations", name + "_count", count, margin_of_count);
  f.is("sums of durations", name + "_sum", 0.0015 * count, 0.0015 * count);
  for (const char* bound : {"0.0005", "0.001"})
    f.exception("none was shorter", name + "_bucket{le=\"" + bound + "\"}", 0);
  for (const char* bound :
       {"0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "5", "+Inf"})
    f.exception("none was longer", name + "_bucket{le=\"" + bound + "\"}", count, margin_of_count);
}

TEST_CASE("every figure is that of the test's own account, after a history in which everything happens") {
  History h;
  h.start(false, false);
  h.post("first", 401, 1'000);
  h.pass(10s);
  h.end();

  h.start(true, true);
  h.post("second", 7'000, 11'000);
  for (int i = 0; i < 3; ++i) {
    h.post("poison", 1, 50'000 + i);
    h.post("beside", 2, 51'000 + 10 * i);
    h.pass(20min);
  }
  h.post("old", 10, 70'000);
  h.post("old", 9, 70'010);
  h.post("old", 9, 70'020);
  h.pass(5s);
  for (KeptBooks* books : {&h.thanos, &h.archive, &h.gone}) books->be_away({503});
  h.post("heavy", 6, 20'000, Version::v1, 0, test::noise_text(300'000, 99));
  h.pass(10s);
  const std::size_t waits = h.posts.size();
  h.post("waits", 7, 21'000);
  h.pass(10s);
  h.post("waits", 13, 22'000);
  h.pass(10s);
  h.post("waits", 17, 23'000);
  h.pass(10s);
  h.end();
  const Older before_thanos = account_before("thanos", 93, h.disk);
  const Older before_archive = account_before("archive", 295, h.disk);
  const Older before_gone = account_before("gone", 497, h.disk);
  REQUIRE(h.disk.damage(wal::lane_id("metrics"), Seq{waits + 2}));

  for (KeptBooks* books : {&h.thanos, &h.archive}) books->be_back();
  h.start(true, false);
  const std::size_t third = h.posts.size();
  h.floats = h.received_bytes = h.body_bytes = h.raw_bytes = 0;
  h.requests.clear();
  h.thanos.rules.insert(h.thanos.rules.end(), {{80'000, 80'100, refuses(3, 2, 1)},
                                               {85'000, 85'100, loses_its_reply()},
                                               {88'000, 88'100, takes_and_counts_less(4)},
                                               {72'000, 72'100, is_too_old()}});
  h.archive.rules.push_back({80'000, 80'100, refuses(1, 4, 2)});
  h.pass(4s);
  std::vector<Sample> kinds;
  for (int i = 0; i < 5; ++i) kinds.emplace_back("kinds", 30'000 + i);
  for (int i = 0; i < 2; ++i) kinds.emplace_back("kinds_seconds", 30'000 + i);
  REQUIRE(h.post(of_every_kind(30'000), Version::v1, kinds).status == 204);
  h.floats += 5;
  h.pass(1s);
  for (int i = 0; i < 13; ++i)
    h.post("began", i == 0 ? 9 : 1, 31'000 + 10 * i, Version::v2, i == 0 ? 500 : 0);
  h.post("short", 15, 88'000, Version::v2);
  h.post("bad", 12, 80'000);
  h.post("lost_reply", 5, 85'000);
  h.post("not_yet", 14, 72'000);
  h.archive.be_away({0, 429, 0, 429, 0, 429, 0, 429, 0, 503, 0, 503, 503, 503, 302});
  const std::size_t large = h.posts.size();
  for (int i = 0; i < 5; ++i)
    h.post("large", 1, 40'000 + i, Version::v1, 0,
           test::noise_text(160'000, static_cast<std::uint32_t>(i + 1)));
  h.pass(2s);
  h.thanos.be_away({302, 302, 503});
  const std::size_t late = h.posts.size();
  h.post("late", 90, 99'000);
  h.pass(10s);
  h.post("late", 34, 99'200);
  h.pass(2s);
  const TurnedAway turned_away(h);
  for (int i = 0; i < 5'000 && !all_differ({&h.thanos, &h.archive}); ++i) h.pass(2s);
  REQUIRE(all_differ({&h.thanos, &h.archive}));

  // Three clients, two of them in the midst of a request.
  const std::vector<int> clients{h.life->connect(), h.life->connect(), h.life->connect()};
  const auto begin_request = [](int client, int declared, std::size_t sent) {
    std::string text =
        "POST /api/v1/write HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(declared);
    text += "\r\n\r\n";
    text.append(sent, 'x');
    REQUIRE(::send(client, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  };
  begin_request(clients[0], 5'000, 3'000);
  begin_request(clients[1], 2'500, 1'000);
  const auto arrived = [&h] {
    const server::ServerMetrics server = *h.life->signal->describe().server;
    return server.connections_open == 3 && server.inflight_bytes == 7'500;
  };
  for (int i = 0; i < 2'000 && !arrived(); ++i) {
    ::usleep(1'000);
    h.life->clock.run_for(1ms);
  }

  admin::Snapshot s = h.life->snapshot();
  s.build = {"1.2.3", "abc", "GNU 12"};
  s.cluster = "app1";
  s.node = "node-7";
  s.started_ms = 123'000;
  const double now = seconds(h.wall_ms());
  const std::string page = admin::metrics_page(s, {4001.5, 4002, 4003, 4004, 4005});
  const std::string buffer = admin::buffer_json(s), destinations = admin::destinations_json(s);
  const std::string ledger = admin::ledger_json(s), senders = admin::senders_json(s);
  const std::uint64_t commits = h.disk.commits() - h.commits_before;
  const wal::StoreUsage disk = h.disk.usage();
  const KeptBooks thanos = h.thanos, archive = h.archive;
  std::uint64_t bytes = bytes_aside(h.disk, "metrics/parked/thanos", 3, 4) +
                        bytes_aside(h.disk, "metrics/rejects/thanos", 1, 2) +
                        bytes_aside(h.disk, "metrics/rejects/archive", 1, 2);
  for (const int client : clients) ::close(client);

  // What had not been given up arrives now.
  h.archive.be_back();
  h.thanos.be_back();
  h.life->signal->retry_now();
  h.pass(15s);

  Expected t{.name = "thanos", .state = "down", .url = test::kThanos, .required = true, .books = &thanos};
  Expected a{.name = "archive", .state = "paused", .url = test::kArchive, .books = &archive};
  Expected g{.name = "gone", .state = "detached"};
  t.accepted = h.samples_of(1, 3);
  a.accepted = h.samples_of(2, 3);
  g.accepted = h.samples_of(2, 2);
  for (std::size_t i = waits; i < waits + 3; ++i) g.waiting.push_back(h.posts[i]);
  for (std::size_t i = large; i < h.posts.size(); ++i) a.waiting.push_back(h.posts[i]);
  for (std::size_t i = late; i < h.posts.size(); ++i) t.waiting.push_back(h.posts[i]);
  for (const auto& [d, older, books] : {std::tuple(&t, &before_thanos, &thanos),
                                        {&a, &before_archive, &archive},
                                        {&g, &before_gone, &h.gone}}) {
    d->delivered = books->taken.size() - older->sum();
    for (std::size_t i = 0; i < wal::kReasons; ++i) d->lost[static_cast<Reason>(i)] = older->lost[i];
    for (const auto& [reason, n] : books->refused) d->lost[reason] += n;
    d->probable_duplicates = older->probable_duplicates;
    d->under_reported = older->under_reported;
    d->stripped = older->stripped;
  }
  t.parked = 19 + 14;
  a.parked = 28;
  g.parked = 10;
  t.quarantined = 2;
  a.quarantined = 3;
  g.quarantined = 1;
  t.lost[Reason::damaged] += 13;
  a.lost[Reason::damaged] += 13;
  g.lost[Reason::budget] += 6;  // what waited for archive, and this, were more than the budget
  t.probable_duplicates += 5;
  t.under_reported += 4;
  a.stripped += 9;
  t.since_ms = thanos.away_since_ms.at(2 + 2);
  a.since_ms = archive.away_since_ms.at(14);

  std::uint64_t records = 3;  // one was parked, of two some was refused
  for (std::size_t i = third; i < h.posts.size(); ++i, ++records) bytes += h.posts[i].record_bytes;

  SECTION("of the metrics") {
    Figures f;
    expect_of_intake(f, h, turned_away);
    for (const Expected* d : {&t, &a, &g}) expect_on_page(f, *d, now);
    f.exception("what it says is in its labels",
                "tideover_build_info{version=\"1.2.3\",revision=\"abc\",cluster=\"app1\",node=\"node-7\"}",
                1);
    f.exception("a flag", "tideover_ready", 1);
    f.exception("a flag", "tideover_config_last_reload_successful", 1);
    f.exception("a flag", "tideover_buffer_refusing{signal=\"metrics\"}", 0);
    f.is("timestamp", "tideover_receive_highest_timestamp_seconds", 99.233);
    f.is("count", "tideover_receive_connections{signal=\"metrics\"}", 3);
    f.is("count", "tideover_receive_inflight_requests{signal=\"metrics\"}", 2);
    f.is("bytes", "tideover_receive_inflight_bytes{signal=\"metrics\"}", 7'500);
    f.is("bytes", "tideover_buffer_bytes{signal=\"metrics\"}", g.waiting_bytes() + a.waiting_bytes());
    f.is("bytes", "tideover_buffer_limit_bytes{signal=\"metrics\"}", 1 << 20);
    f.is("records", "tideover_buffer_records{signal=\"metrics\"}", g.waiting.size() + a.waiting.size());
    f.is("samples", "tideover_buffer_samples{signal=\"metrics\"}", g.waiting_samples() + a.waiting_samples());
    f.is("timestamp", "tideover_buffer_oldest_record_timestamp_seconds{signal=\"metrics\"}",
         seconds(g.waiting.front().until_ms), kMoment);
    f.any("see survivability_test.cc", "tideover_buffer_survivable_seconds{signal=\"metrics\"}");
    f.is("bytes", "tideover_buffer_disk_bytes", disk.disk_bytes);
    f.exception("this disk has no caches", "tideover_buffer_memory_bytes", 0);
    f.is("pages", "tideover_buffer_unreadable_pages_total", 3);
    f.is("bytes", "tideover_disk_free_bytes", disk.free_bytes);
    f.is("bytes", "tideover_disk_size_bytes", disk.total_bytes);
    f.any("see settings_test.cc", "tideover_disk_floor_bytes");
    f.is("records", "tideover_buffer_appended_records_total", records);
    f.is("bytes", "tideover_buffer_appended_bytes_total", bytes);
    f.is("groups", "tideover_buffer_commits_total", commits);
    f.is("groups", "tideover_buffer_commit_failures_total", 1);
    f.exception("a failure is followed by a recovery", "tideover_buffer_recoveries_total", 1);
    f.is("damaged", "tideover_buffer_damaged_records_total", 2);
    // Besides records there is what senders have to remember: that some is set aside.
    const auto appends = static_cast<double>(h.posts.size() - third);
    expect_durations(f, "tideover_buffer_commit_duration_seconds", static_cast<double>(commits), 0);
    expect_durations(f, "tideover_buffer_append_duration_seconds", appends, 4);
    for (const char* name : {"cpu_seconds_total", "resident_memory_bytes", "resident_memory_max_bytes",
                             "open_fds", "max_fds", "start_time_seconds"})
      f.any("of the process: every_figure_test.cc", std::string("process_") + name);
    f.check(test::series_of(page));
  }
  SECTION("of the buffer") {
    Figures f;
    f.says("ready", "true");
    f.says("not_ready_because", "null");
    const std::string m = "signals/metrics/";
    const std::uint64_t held = g.waiting_bytes() + a.waiting_bytes();
    const std::uint64_t samples = g.waiting_samples() + a.waiting_samples();
    f.is("bytes", m + "bytes", held);
    f.is("bytes", m + "max_bytes", 1 << 20);
    f.is("records", m + "records", g.waiting.size() + a.waiting.size());
    f.is("samples", m + "samples", samples);
    f.is("bytes", m + "bytes_per_sample", static_cast<double>(held) / static_cast<double>(samples));
    f.is("timestamp", m + "oldest_timestamp", seconds(g.waiting.front().until_ms), kMoment);
    f.is("timestamp", m + "newest_timestamp", 99.233);
    f.any("see survivability_test.cc", m + "survivable_seconds");
    f.says(m + "refusing", "null");
    f.is("bytes", "disk/store_bytes", disk.disk_bytes);
    f.is("bytes", "disk/free_bytes", disk.free_bytes);
    f.is("bytes", "disk/size_bytes", disk.total_bytes);
    f.any("see settings_test.cc", "disk/floor_bytes");
    f.is("pages", "disk/unreadable_pages", 3);
    f.check(test::members_of(buffer));
  }
  SECTION("of the destinations") {
    Figures f;
    std::size_t index = 0;
    for (const Expected* d : {&t, &a, &g}) expect_in_destinations(f, *d, now, index++);
    f.check(test::members_of(destinations));
  }
  SECTION("of the senders") {
    Figures f;
    expect_of_senders(f, h, turned_away);
    f.check(test::members_of(senders));
  }
  SECTION("of the ledger") {
    Figures f;
    for (const Expected* d : {&t, &a, &g}) expect_in_ledger(f, *d);
    f.check(test::members_of(ledger));
  }
}

}  // namespace
}  // namespace tideover
