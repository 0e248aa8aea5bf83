#include "agent/ingest/loki/sift.h"

#include <catch2/catch.hpp>
#include <limits>

#include "forwarders/loki/push_writer.h"
#include "tests/support/push_oracle.h"

namespace tideover::ingest::loki {
namespace {

using test::PushedEntry;
using test::PushedStreams;

constexpr std::int64_t kNowMs = 1'764'396'000'000;  // 2025-11-29T06:00:00Z
constexpr std::int64_t kNow = kNowMs * 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWeek = 7 * 24 * 3600 * kSecond;

Sifted sifted(const PushedStreams& streams, const Limits& limits = {}) {
  auto result = sift(test::written_by_generated_code(streams), kNowMs, limits);
  INFO((result ? "" : result.error().detail));
  REQUIRE(result.has_value());
  return std::move(*result);
}

PushedStreams streams_of(const Kept& part) {
  auto streams = test::pushed_as_generated_code_reads(part.message);
  REQUIRE(streams.has_value());
  return std::move(*streams);
}

PushedStreams kept(const Sifted& sifted) {
  PushedStreams all;
  for (const Kept& part : sifted.kept)
    for (PushedStreams read = streams_of(part); auto& stream : read) all.push_back(std::move(stream));
  return all;
}

// The words for one entry of a stream {a="b"} that is refused alone.
std::string words(const PushedEntry& entry, Why why, const Limits& limits = {}) {
  const PushedEntry good{kNow, "good", {}};
  const Sifted result = sifted({{R"({a="b"})", {good, entry, good}}}, limits);
  CHECK(kept(result) == PushedStreams{{R"({a="b"})", {good, good}}});
  CHECK(result.faults.total() == 1);
  CHECK(result.faults.by_reason()[static_cast<std::size_t>(why)] == 1);
  return result.faults.text();
}

bool clean(const PushedEntry& entry, const Limits& limits = {}) {
  return sifted({{R"({a="b"})", {entry}}}, limits).faults.none();
}

std::string stream_words(const std::string& labels, Why why, const Limits& limits = {}) {
  const PushedEntry entry{kNow, "x", {}};
  const Sifted result =
      sifted({{R"({a="1"})", {entry}}, {labels, {entry, entry}}, {R"({a="2"})", {entry}}}, limits);
  CHECK(kept(result) == PushedStreams{{R"({a="1"})", {entry}}, {R"({a="2"})", {entry}}});
  CHECK(result.faults.by_reason()[static_cast<std::size_t>(why)] == 2);
  return result.faults.text();
}

TEST_CASE("good entries are kept as they are, with labels in their one form") {
  const PushedEntry one{kNow - 1, std::string("li\xffne\0", 6), {{"trace", "1"}, {"trace", ""}}};
  const PushedEntry two{kNow - 5, "", {}};
  const Sifted result = sifted({{R"({b='2',a="1",c=""})", {one, two}}, {R"({a="1", b="2"})", {two}}});
  CHECK(result.faults.none());
  CHECK(result.streams == 2);
  CHECK(result.entries() == 3);
  CHECK(kept(result) == PushedStreams{{R"({a="1", b="2"})", {one, two}}, {R"({a="1", b="2"})", {two}}});
  REQUIRE(result.kept.size() == 1);
  CHECK(result.kept[0].oldest_ns == kNow - 5);
  CHECK(result.kept[0].newest_ns == kNow - 1);
}

TEST_CASE("an entry that is too old or too new is refused in Loki's words") {
  CHECK(
      words({kNow - kWeek - 1, "x", {}}, Why::too_old) ==
      "entry for stream '{a=\"b\"}' has timestamp too old: 2025-11-22T05:59:59Z, oldest acceptable timestamp "
      "is: 2025-11-22T06:00:00Z");
  CHECK(words({kNow + 600 * kSecond + 1, "x", {}}, Why::too_new) ==
        "entry for stream '{a=\"b\"}' has timestamp too new: 2025-11-29T06:10:00Z");
  CHECK(clean({kNow - kWeek, "x", {}}));
  CHECK(clean({kNow + 600 * kSecond, "x", {}}));
}

TEST_CASE("a time before 1970 is named by the second that it is in") {
  CHECK(words({-1, "x", {}}, Why::too_old).find("has timestamp too old: 1969-12-31T23:59:59Z,") !=
        std::string::npos);
}

TEST_CASE("no words are made for faults that will not be named") {
  Faults faults;
  for (std::uint64_t stream = 0; stream < Faults::kNamedMax; ++stream) {
    CHECK(faults.wants_sentence(stream, Why::too_old));
    faults.add(stream, Why::too_old, "old");
    CHECK_FALSE(faults.wants_sentence(stream, Why::too_old));
  }
  CHECK_FALSE(faults.wants_sentence(99, Why::too_new));
}

TEST_CASE("with no limit of age any age is taken, but no time that nanoseconds cannot say") {
  Limits limits;
  limits.age_max = std::chrono::seconds(0);
  CHECK(clean({-1, "x", {}}, limits));
  CHECK(clean({1, "x", {}}, limits));
  CHECK(clean({std::numeric_limits<std::int64_t>::min() + 1, "x", {}}, limits));
  words({std::numeric_limits<std::int64_t>::min(), "x", {}}, Why::too_old, limits);
  words({std::numeric_limits<std::int64_t>::max(), "x", {}}, Why::too_new, limits);
}

TEST_CASE("a line that is too long is refused in Loki's words") {
  CHECK(words({kNow, std::string(262'145, 'x'), {}}, Why::line_too_long) ==
        "max entry size '262144' bytes exceeded for stream '{a=\"b\"}' while adding an entry with length "
        "'262145' "
        "bytes");
  CHECK(clean({kNow, std::string(262'144, 'x'), {}}));
}

TEST_CASE("structured metadata is bounded in bytes and in number, or not allowed at all") {
  const auto pairs = [](std::size_t count, std::size_t bytes) {
    return PushedEntry{kNow, "x", {count, {std::string("n"), std::string(bytes - 1, 'v')}}};
  };
  CHECK(clean(pairs(128, 512)));
  CHECK(words(pairs(129, 10), Why::metadata_too_many)
            .find("too many structured metadata labels: '129', limit: '128'") != std::string::npos);
  CHECK(words(pairs(1, 65'537), Why::metadata_too_large)
            .find("too large: '65537' bytes, limit: '65536' bytes") != std::string::npos);
  Limits limits;
  limits.metadata_allowed = false;
  CHECK(words(pairs(1, 2), Why::metadata_not_allowed, limits).find("this feature is disallowed") !=
        std::string::npos);
  CHECK(clean({kNow, "x", {}}, limits));
}

TEST_CASE("of the faults of an entry the first in Loki's order is named") {
  Limits limits;
  limits.metadata_allowed = false;
  const std::string line(300'000, 'x');
  words({kNow - kWeek - 1, line, {{"n", "v"}}}, Why::too_old, limits);
  words({kNow + kWeek, line, {{"n", "v"}}}, Why::too_new, limits);
  words({kNow, line, {{"n", "v"}}}, Why::line_too_long, limits);
  words({kNow, "x", {200, {"n", std::string(1000, 'v')}}}, Why::metadata_not_allowed, limits);
  words({kNow, "x", {200, {"n", std::string(1000, 'v')}}}, Why::metadata_too_large);
}

TEST_CASE("a stream beyond the limits of labels is refused in Loki's words, and its neighbours are kept") {
  CHECK(
      stream_words("{}", Why::missing_labels).find("error at least one label pair is required per stream") !=
      std::string::npos);
  CHECK(stream_words(R"({a=""})", Why::missing_labels).find("at least one label pair") != std::string::npos);
  std::string fifteen;
  for (char c = 'a'; c <= 'o'; ++c) fifteen += std::string(1, c) + "=\"1\",";
  CHECK(sifted({{"{" + fifteen + "}", {{kNow, "x", {}}}}}).faults.none());
  CHECK(sifted({{"{" + fifteen + "service_name=\"1\"}", {{kNow, "x", {}}}}}).faults.none());
  CHECK(stream_words("{" + fifteen + "p=\"1\"}", Why::too_many_labels).find("has 16 label names; limit 15") !=
        std::string::npos);
  CHECK(stream_words("{" + std::string(1025, 'n') + "=\"1\"}", Why::label_name_too_long)
            .find("has label name too long: 'nnn") != std::string::npos);
  CHECK(sifted({{"{" + std::string(1024, 'n') + "=\"1\"}", {{kNow, "x", {}}}}}).faults.none());
  CHECK(stream_words("{n=\"" + std::string(2049, 'v') + "\"}", Why::label_value_too_long)
            .find("has label value too long: 'vvv") != std::string::npos);
  CHECK(sifted({{"{n=\"" + std::string(2048, 'v') + "\"}", {{kNow, "x", {}}}}}).faults.none());
  CHECK(stream_words(R"({app="1",app="1"})", Why::duplicate_label) ==
        "2 errors like: stream '{app=\"1\", app=\"1\"}' has duplicate label name: 'app'");
  stream_words(R"({a="1",__backfill__="1"})", Why::reserved_label);
  stream_words(R"({a="1",__backfill_shard__="1"})", Why::reserved_label);
}

TEST_CASE("a stream without entries is never at fault") {
  CHECK(sifted({{"{}", {}}}).faults.none());
  CHECK(sifted({{"{}", {}}}).kept.empty());
  CHECK(sifted({{"{}", {}}}).streams == 1);
}

TEST_CASE("labels that cannot be parsed refuse the whole push") {
  const PushedEntry entry{kNow, "x", {}};
  for (const PushedStreams& streams : {PushedStreams{{R"({a="1"})", {entry}}, {R"({1a="1"})", {entry}}},
                                       PushedStreams{{R"({a="1"})", {entry}}, {"", {}}}}) {
    const auto result = sift(test::written_by_generated_code(streams), kNowMs, {});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Errc::bad_input);
    CHECK(result.error().detail.find("couldn't parse labels") == 0);
  }
}

TEST_CASE("what is no push request is refused whole") {
  const std::string good = test::written_by_generated_code({{R"({a="1"})", {{kNow, "x", {}}}}});
  const auto result = sift(good + "\x0a\x7f", kNowMs, {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Errc::bad_input);
}

TEST_CASE("alike faults of a stream are one sentence, and the text is short however many there are") {
  const PushedEntry old{1, "x", {}};
  const PushedEntry large{kNow, std::string(262'145, 'x'), {}};
  const Sifted grouped = sifted({{R"({a="1"})", {old, old, large, old}}, {R"({a="2"})", {old}}});
  const std::string text = grouped.faults.text();
  CHECK(text.find("3 errors like: entry for stream '{a=\"1\"}' has timestamp too old") == 0);
  CHECK(text.find("; max entry size") != std::string::npos);
  CHECK(text.find("; entry for stream '{a=\"2\"}'") != std::string::npos);
  CHECK(grouped.faults.total() == 5);

  PushedStreams many;
  for (int i = 0; i < 1'000; ++i)
    many.push_back({"{a=\"" + std::to_string(i) + std::string(2000, 'v') + "\"}", {old, old}});
  const Sifted all = sifted(many);
  CHECK(all.faults.total() == 2'000);
  CHECK(all.faults.text().size() < 8'000);
  CHECK(all.faults.text().find("and 1980 more entries refused in other streams") != std::string::npos);
}

TEST_CASE("a large push is cut into records, whose entries are in order and all there") {
  PushedStreams streams;
  for (int s = 0; s < 3; ++s) {
    auto& stream = streams.emplace_back();
    stream.labels = "{s=\"" + std::to_string(s) + "\"}";
    for (int i = 0; i < 50; ++i)
      stream.entries.push_back({kNow - i, std::string(100, 'x') + std::to_string(i), {}});
  }
  const auto result = sift(test::written_by_generated_code(streams), kNowMs, {}, 2'000);
  REQUIRE(result.has_value());
  CHECK(result->kept.size() > 5);
  PushedStreams joined;
  for (const Kept& part : result->kept) {
    CHECK(part.message.size() < 2'000 + 200);
    CHECK(part.entries > 0);
    for (PushedStreams read = streams_of(part); auto& stream : read) {
      if (joined.empty() || joined.back().labels != stream.labels) joined.push_back({stream.labels, {}});
      for (auto& entry : stream.entries) joined.back().entries.push_back(std::move(entry));
    }
  }
  CHECK(joined == streams);
}

TEST_CASE("labels that grow beyond what is taken in their one form refuse the push") {
  // A control byte becomes four.
  const std::string wide = "{a=\"" + std::string(200'000, '\x01') + "\"}";
  PushedStreams streams(45, {wide, {}});
  const auto result = sift(test::written_by_generated_code(streams), kNowMs, {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Errc::too_large);
}

}  // namespace
}  // namespace tideover::ingest::loki
