// An agent's life through three starts, in which everything happens that a figure counts, and the account
// that the test itself keeps of it: what it sent, and what its receivers took, refused and answered.
//
// thanos is required and there from the beginning. archive and gone come with the second life; gone is not in
// the configuration of the third.
#pragma once

#include <arpa/inet.h>
#include <list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/agent/figures.h"
#include "tests/unit/agent/kept_books.h"

namespace tideover::test {

inline constexpr const char* kThanos = "http://thanos:1/";
inline constexpr const char* kArchive = "http://archive:2/";
inline constexpr const char* kGone = "http://gone:3/";

struct Post {
  int life = 0;
  std::vector<Sample> samples;
  std::uint64_t record_bytes = 0;
  std::int64_t from_ms = 0, until_ms = 0;  // it arrived between
};

inline std::string noise_text(std::size_t bytes, std::uint32_t seed) {
  std::string text;
  while (text.size() < bytes)
    text += static_cast<char>('!' + (seed = seed * 1664525 + 1013904223) / 0x3000000);
  return text;
}

struct History {
  History() {
    disk.set_total_bytes(std::uint64_t{100} << 30);
    disk.set_free_bytes(std::uint64_t{50} << 30);
    disk.set_unreadable_pages(3);
    const auto too_old = [](KeptBooks&, const std::vector<Sample>& samples) {
      return answer(sim::Refused::too_old, samples.size());
    };
    const auto chokes = [](KeptBooks&, const std::vector<Sample>&) { return sim::plain(500, "panic"); };
    thanos.rules = {{50'000, 50'002, chokes}, {70'000, 70'020, too_old}};
    archive.rules = {{50'000, 50'003, chokes}, {70'000, 70'030, too_old}};
    gone.rules = {{50'000, 50'001, chokes}, {70'000, 70'010, too_old}};
  }

  static Result<http::Response> answer(sim::Refused why, std::uint64_t samples) {
    sim::Tally tally;
    tally.refused[static_cast<std::size_t>(why)] = samples;
    return sim::answer_of_thanos(tally);
  }

  std::string config(bool with_archive, bool with_gone) const {
    std::string text = "cluster: a\nmetrics:\n  listen: 127.0.0.1:0\n  max_bytes: 1MiB\n  destinations:\n";
    text += "    - {name: thanos, url: 'http://thanos:1/', from: oldest}\n";
    if (with_archive) text += "    - {name: archive, url: 'http://archive:2/', from: now, required: false}\n";
    if (with_gone) text += "    - {name: gone, url: 'http://gone:3/', from: now}\n";
    return text;
  }

  void start(bool with_archive, bool with_gone) {
    ++life_number;
    life.emplace(disk, config(with_archive, with_gone));
    life->clock.jump_wall(wall_passed);
    thanos.open(life->mgmt[kThanos], life->clock);
    archive.open(life->mgmt[kArchive], life->clock);
    gone.open(life->mgmt[kGone], life->clock);
    commits_before = disk.commits();
  }
  void end() {
    life->run(life->queue.flush());
    wall_passed += life->clock.elapsed() + 100s;
    life.reset();
  }

  void pass(Duration time) {
    for (Duration passed{}; passed < time; passed += 2s) {
      life->signal->observe();
      life->clock.run_for(std::min<Duration>(2s, time - passed));
    }
  }

  // A request of `count` samples of one series from this time on.
  http::Response post(const WriteRequest& request, Version version, std::vector<Sample> good,
                      const WriteRequest* without_faults = nullptr) {
    const std::string raw = request.encode(version);
    const std::string kept = without_faults != nullptr ? without_faults->encode(version) : raw;
    const std::string body = snappy_block(raw);
    Post p;
    p.life = life_number;
    p.samples = std::move(good);
    p.record_bytes = wal::kEnvelopeBytes + snappy_block(kept).size();
    p.from_ms = wall_ms();
    http::Response response = life->post("/api/v1/write", body, content_type(version));
    p.until_ms = wall_ms();
    if (response.status == 204 || without_faults != nullptr) {
      posts.push_back(p);
      received_bytes += body.size();
      body_bytes += snappy_block(kept).size();
      raw_bytes += kept.size();
    }
    ++requests[{version, response.status}];
    return response;
  }
  void post(std::string name, int count, std::int64_t at_ms, Version version = Version::v1,
            std::int64_t start_ms = 0, const std::string& label = "a") {
    WriteRequest request;
    request.series({{"__name__", name}, {"job", label}});
    std::vector<Sample> samples;
    for (int i = 0; i < count; ++i) {
      request.sample(at_ms + i, i, start_ms);
      samples.emplace_back(name, at_ms + i);
    }
    REQUIRE(post(request, version, std::move(samples)).status == 204);
    floats += static_cast<std::uint64_t>(count);
    pass(1s);
  }
  static std::string content_type(Version version) {
    return version == Version::v1 ? "application/x-protobuf"
                                  : "application/x-protobuf;proto=io.prometheus.write.v2.Request";
  }

  std::int64_t wall_ms() const { return to_unix_ms(life->clock.wall_now()); }

  std::uint64_t samples_of(int first_life, int last_life) const {
    std::uint64_t n = 0;
    for (const Post& p : posts)
      if (p.life >= first_life && p.life <= last_life) n += p.samples.size();
    return n;
  }

  wal::MemStore disk;
  KeptBooks thanos{true};
  KeptBooks archive{false};
  KeptBooks gone{true};
  std::optional<SignalLife> life;
  int life_number = 0;
  Duration wall_passed{};
  std::uint64_t commits_before = 0;

  std::vector<Post> posts;  // that were stored
  std::uint64_t floats = 0, received_bytes = 0, body_bytes = 0, raw_bytes = 0;
  std::map<std::pair<Version, int>, std::uint64_t> requests;
};

}  // namespace tideover::test
