// What the strict model of Loki answers, as the destination understands it: the two have the same sources,
// and two authors of mistakes.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "forwarders/loki/classify.h"
#include "forwarders/loki/sent.h"
#include "tests/support/loki_model.h"
#include "tests/unit/forwarders/loki/log_records.h"

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

}  // namespace
}  // namespace tideover::test
