// What the strict model of Loki answers, as the destination understands it: the two have the same sources,
// and two authors of mistakes.
#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "forwarders/loki/classify.h"
#include "forwarders/loki/sent.h"
#include "tests/support/loki_model.h"
#include "tests/unit/forwarders/loki/log_records.h"
#include "wal/base/rng.h"

namespace tideover::test {
namespace {

constexpr std::int64_t kNow = 1'790'000'000LL * 1'000'000'000;
constexpr std::int64_t kHour = 3600LL * 1'000'000'000;

TEST_CASE("nothing that is named was stored, and where the rest is said to be stored, it is") {
  LokiLimits limits;
  limits.max_line_size = 100;
  limits.max_global_streams_per_user = 2;
  limits.per_stream_rate_limit = 1000;
  limits.per_stream_rate_limit_burst = 1000;
  LokiModel model(limits);
  REQUIRE(
      model.push("t1", {{"{app=\"a\"}", {{kNow, "new"}}}, {"{app=\"b\"}", {{kNow, "new"}}}}, kNow).status ==
      204);
  const LokiStream much = [] {
    LokiStream stream{"{app=\"a\"}", {}};
    for (int i = 0; i < 20; ++i) stream.entries.push_back({kNow + i, std::string(90, 'x')});
    return stream;
  }();
  const LokiPush push = GENERATE_COPY(
      LokiPush{{"{app=\"b\"}", {{kNow - 2 * kHour, "late"}, {kNow + 1, "fine"}}}},
      LokiPush{{"{app=\"a\"}", {{kNow + 1, "fine"}}},
               {"{app=\"b\"}", {{kNow - 2 * kHour, "late"}, {kNow + 1, "fine"}}}},
      LokiPush{{"{app=\"a\"}", {{kNow - 200 * kHour, "old"}, {kNow + 2, "fine"}}}},
      LokiPush{
          {"{app=\"a\"}", {{kNow + kHour, "ahead"}, {kNow + 3, "fine"}, {kNow + 4, std::string(101, 'x')}}}},
      LokiPush{{"{app=\"a\"}", {{kNow + 5, "fine"}}}, {"{app=\"new\"}", {{kNow, "one"}, {kNow, "two"}}}},
      LokiPush{{"{app=\"a\"}", {{kNow + 6, "fine"}}}, {"{b=\"1\",b=\"2\"}", {{kNow, "two of a name"}}}},
      LokiPush{much});
  const std::size_t before = model.lines().size();
  const http::Response answer = model.push("t1", push, kNow);
  CAPTURE(answer.status, answer.body);
  CHECK(answer.status != 204);

  auto batch = loki::Batch::decode(std::vector{stored_record_of(push)});
  REQUIRE(batch.has_value());
  const auto shared = std::make_shared<const loki::Batch>(std::move(*batch));
  const forward::Part all{0, shared->items()};
  const forward::Sent sent{all.last, loki::SentPush{shared, shared->streams_of(all), 0}};
  const forward::Verdict verdict = loki::classify(sent, answer, {});
  CHECK(verdict.action != forward::Action::advance);

  std::vector<std::string> lines;  // by item
  for (const loki::BatchStream& stream : shared->streams())
    for (const loki::PushEntry& entry : stream.entries) lines.emplace_back(entry.line);
  std::vector<bool> named(lines.size(), false);
  for (const forward::Part& part : verdict.named)
    for (std::size_t i = part.first; i < part.last; ++i) named.at(i) = true;
  std::vector<std::string> stored;
  for (std::size_t i = before; i < model.lines().size(); ++i) stored.push_back(model.lines()[i].entry.line);
  std::vector<std::string> others;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (!named[i]) others.push_back(lines[i]);
  if (verdict.rest_stored && !verdict.named.empty()) CHECK(stored == others);
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (named[i]) CHECK(std::find(stored.begin(), stored.end(), lines[i]) == stored.end());
}

// By item: labels as the model prints them, without the service that it adds.
using Identity = std::tuple<std::string, std::int64_t, std::string, LokiPairs>;

std::set<Identity> stored_in(const LokiModel& model) {
  std::set<Identity> stored;
  for (const LokiLine& line : model.lines())
    stored.emplace(line.labels.substr(0, line.labels.find(", service_name")), line.entry.ns, line.entry.line,
                   line.entry.metadata);
  return stored;
}

LokiPush random_push(Rng& rng) {
  constexpr std::array<std::int64_t, 8> kAges{0, 0, 0, 1, 2 * kHour, kHour / 2, 200 * kHour, -kHour};
  LokiPush push;
  std::set<std::uint64_t> used;
  for (std::uint64_t streams = 1 + rng.below(3); streams > 0; --streams) {
    const std::uint64_t app = rng.below(6);
    if (!used.insert(app).second) continue;
    LokiStream& stream = push.emplace_back();
    stream.labels = "{app=\"" + (app == 5 ? std::string(50, 'l') : std::to_string(app)) + "\"}";
    for (std::uint64_t entries = 1 + rng.below(15); entries > 0; --entries) {
      LokiEntry entry;
      entry.ns =
          kNow - kAges[rng.below(kAges.size())] - static_cast<std::int64_t>(rng.below(3)) * 500'000'000;
      entry.line = std::string(rng.chance(0.05) ? 60 : rng.below(20), 'x') + std::to_string(rng.below(100));
      if (rng.chance(0.1)) entry.metadata.emplace_back("k", std::string(rng.below(12), 'v'));
      stream.entries.push_back(std::move(entry));
    }
  }
  return push;
}

LokiLimits random_limits(Rng& rng) {
  LokiLimits limits;
  limits.max_line_size = 40;
  limits.max_label_value_length = 40;
  limits.max_structured_metadata_size = 10;
  limits.ingesters = 1 + rng.below(2);
  limits.shard_streams = rng.chance(0.5);
  limits.allow_structured_metadata = rng.chance(0.8);
  if (rng.chance(0.3)) limits.per_stream_rate_limit = limits.per_stream_rate_limit_burst = 200;
  if (rng.chance(0.3)) limits.ingestion_rate = limits.ingestion_burst = 500;
  if (rng.chance(0.3)) limits.max_global_streams_per_user = 3;
  return limits;
}

TEST_CASE("whatever is pushed, nothing is taken for stored that is not, nor for refused that is") {
  std::uint64_t rejected = 0;
  std::uint64_t rests = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Rng rng(seed);
    LokiLimits limits = random_limits(rng);
    LokiModel model(limits);
    for (int round = 0; round < 4; ++round) {
      limits.block_ingestion_status_code = rng.chance(0.2) ? 260 : 0;
      model.set_limits(limits);
      const LokiPush push = random_push(rng);
      const std::set<Identity> before = stored_in(model);
      const http::Response answer = model.push("t1", push, kNow);
      INFO("seed " << seed << ", HTTP " << answer.status << ": " << answer.body);
      auto batch = loki::Batch::decode(std::vector{stored_record_of(push)});
      REQUIRE(batch.has_value());
      const auto shared = std::make_shared<const loki::Batch>(std::move(*batch));
      const forward::Part all{0, shared->items()};
      const forward::Sent sent{all.last, loki::SentPush{shared, shared->streams_of(all), 0}};
      const forward::Verdict verdict = loki::classify(sent, answer, {.divisible = all.last > 1});
      CHECK((verdict.action == forward::Action::advance) == (answer.status == 204));
      if (answer.status == 204) continue;
      const std::set<Identity> stored = stored_in(model);
      std::vector<bool> named(all.last, false);
      for (const forward::Part& part : verdict.named)
        for (std::size_t i = part.first; i < part.last; ++i) named.at(i) = true;
      std::size_t item = 0;
      for (const LokiStream& stream : push)
        for (const LokiEntry& entry : stream.entries) {
          // Without the closing bracket, as above.
          const Identity identity{stream.labels.substr(0, stream.labels.size() - 1), entry.ns, entry.line,
                                  entry.metadata};
          const bool is_named = named[item++];
          const bool is_final = verdict.action == forward::Action::bisect && is_named;
          if (is_final && !before.contains(identity)) {  // an equal one may have come earlier
            ++rejected;
            CHECK_FALSE(stored.contains(identity));
          }
          if (verdict.rest_stored && !verdict.named.empty() && !is_named) {
            ++rests;
            CHECK(stored.contains(identity));
          }
        }
    }
  }
  CHECK(rejected > 1000);
  CHECK(rests > 1000);
}

}  // namespace
}  // namespace tideover::test
