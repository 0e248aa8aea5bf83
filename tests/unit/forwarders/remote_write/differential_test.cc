// The codec against generated protobuf code, on valid requests, on requests that break rules, and on bytes
// that were valid once.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/scan.h"
#include "tests/support/capture.h"
#include "tests/support/scan_found.h"
#include "tests/support/scan_oracle.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/rng.h"

namespace tideover::remote_write {
namespace {

using test::Expectation;
using test::expected_of;
using test::WriteRequest;

Expectation found_by_scan(std::string_view raw, Version version) {
  return test::found_by(scan(raw, version));
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

template <class T>
const T& pick(Rng& rng, const std::vector<T>& from) {
  return from[rng.below(from.size())];
}

// Now and then it breaks a rule; `tidy` never does.
test::Labels random_labels(Rng& rng, bool tidy) {
  static const std::vector<std::string> names{"job", "a", "Z", "instance_name", "größe", "le", "zone_of_it"};
  static const std::vector<std::string> values{"node", "x", "127.0.0.1:9100", "日本", std::string(200, 'v')};
  static const std::vector<std::string> evil{"", "\xff", "a\xc3", "__name__", std::string("\0", 1)};
  test::LabelMap sorted{{"__name__", pick(rng, values)}};
  for (std::uint64_t i = rng.below(5); i > 0; --i) sorted[pick(rng, names)] = pick(rng, values);
  test::Labels labels(sorted.begin(), sorted.end());
  if (rng.chance(0.2)) std::swap(labels.front(), labels.back());
  if (tidy || rng.chance(0.7)) return labels;
  auto& label = labels[rng.below(labels.size())];
  (rng.chance(0.5) ? label.first : label.second) = pick(rng, evil);
  return labels;
}

double random_value(Rng& rng) {
  return test::from_bits(rng.chance(0.1) ? test::kStaleMarkerBits : rng.next());
}

test::HistogramSpec random_histogram(Rng& rng, bool tidy, std::int64_t timestamp_ms) {
  test::HistogramSpec spec = test::valid_histogram(timestamp_ms);
  if (rng.chance(0.3)) {
    spec.is_float = true;
    spec.positive_buckets = {1, 2, 0.5};
  }
  if (rng.chance(0.3)) {
    spec.schema = -53;
    spec.zero_count = spec.zero_threshold = 0;
    spec.count = 10;
    spec.custom_values = {1, 2, 3, 4};
  }
  if (rng.chance(0.3)) spec.sum = random_value(rng);
  if (tidy || rng.chance(0.6)) return spec;
  switch (rng.below(6)) {
    case 0: spec.count += 1; break;
    case 1: spec.schema = static_cast<std::int32_t>(rng.below(120)) - 60; break;
    case 2: spec.positive_spans[1].first = -1; break;
    case 3: spec.positive_buckets.pop_back(); break;
    case 4: spec.custom_values.push_back(2); break;
    case 5: spec.negative_spans = {{0, static_cast<std::uint32_t>(rng.below(3))}}; break;
  }
  return spec;
}

std::string random_request(Rng& rng, Version version, bool tidy) {
  WriteRequest request;
  const auto timestamp = [&rng] { return static_cast<std::int64_t>(rng.next() >> rng.below(60)); };
  for (std::uint64_t series = rng.below(5); series > 0; --series) {
    request.series(random_labels(rng, tidy));
    const bool histograms = rng.chance(0.3);
    const bool both = version == Version::v1 || !tidy ? rng.chance(0.1) : false;
    if (histograms || both)
      for (std::uint64_t i = tidy ? 1 + rng.below(2) : rng.below(3); i > 0; --i)
        request.histogram(random_histogram(rng, tidy, timestamp()));
    if (!histograms || both)
      for (std::uint64_t i = tidy ? 1 + rng.below(3) : rng.below(4); i > 0; --i)
        request.sample(timestamp(), random_value(rng), rng.chance(0.3) ? timestamp() : 0);
    if (rng.chance(0.3)) request.exemplar(random_labels(rng, tidy), random_value(rng), timestamp());
    if (rng.chance(0.3))
      request.metadata(
          {"family", static_cast<std::int32_t>(rng.below(8)), rng.chance(0.5) ? "help" : "", "s"});
  }
  return request.encode(version);
}

void mutate(Rng& rng, std::string& raw) {
  for (std::uint64_t times = 1 + rng.below(3); times > 0 && !raw.empty(); --times) {
    const std::size_t at = rng.below(raw.size());
    const std::size_t size = 1 + rng.below(std::min<std::size_t>(raw.size() - at, 20));
    switch (rng.below(6)) {
      case 0: raw[at] = static_cast<char>(rng.next()); break;
      case 1: raw[at] = static_cast<char>(raw[at] ^ (1 << rng.below(8))); break;
      case 2: raw.resize(at); break;
      case 3: raw.erase(at, size); break;
      case 4: raw.insert(at, raw.substr(at, size)); break;
      case 5: raw.insert(at, 1, static_cast<char>(rng.next())); break;
    }
  }
}

// Fixed in CI; TIDEOVER_SEED tries another.
std::uint64_t seed() {
  const char* given = std::getenv("TIDEOVER_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20251120;
}

void check_scan(const std::string& raw, Version version) {
  const Expectation expected = expected_of(raw, version);
  if (found_by_scan(raw, version) == expected) return;
  FAIL("scan and generated code differ on " << hex(raw) << " seed " << seed());
}

TEST_CASE("the scan finds what generated code finds in requests that break rules") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Rng rng(seed());
  std::uint64_t faulty = 0;
  std::uint64_t valid = 0;
  for (int round = 0; round < 10'000; ++round) {
    const std::string raw = random_request(rng, version, false);
    check_scan(raw, version);
    const Expectation expected = expected_of(raw, version);
    REQUIRE(expected.decodes);
    faulty += expected.faulty;
    valid += expected.series;
  }
  CHECK(faulty > 5'000);  // both happen, or the test says nothing
  CHECK(valid > 5'000);
}

TEST_CASE("the scan finds what generated code finds in requests whose bytes were altered") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Rng rng(seed());
  std::uint64_t decoded = 0;
  const int rounds = 60'000;
  for (int round = 0; round < rounds; ++round) {
    std::string raw = random_request(rng, version, rng.chance(0.8));
    mutate(rng, raw);
    check_scan(raw, version);
    decoded += expected_of(raw, version).decodes ? 1 : 0;
  }
  CHECK(decoded > rounds / 10);
  CHECK(decoded < rounds - rounds / 10);
}

TEST_CASE("the scan finds what generated code finds in captured requests") {
  const Version version = GENERATE(Version::v1, Version::v2);
  for (const auto& request : test::read_capture(version, 40)) {
    check_scan(request.body, version);
    CHECK(scan(request.body, version)->clean());
  }
}

TEST_CASE("what is left without faults is clean and counts the same") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Rng rng(seed() + 1);
  for (int round = 0; round < 5'000; ++round) {
    std::string raw = random_request(rng, version, false);
    if (rng.chance(0.3)) mutate(rng, raw);
    Expectation expected = found_by_scan(raw, version);
    if (!expected.decodes) continue;
    expected.faulty = 0;
    const std::string rest = without_faults(raw, version);
    if (found_by_scan(rest, version) != expected || expected_of(rest, version) != expected)
      FAIL("left without faults: " << hex(rest) << " of " << hex(raw) << " seed " << seed());
  }
}

TEST_CASE("whatever the scan lets pass survives merging, slicing and encoding") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Rng rng(seed() + 2);
  int rounds = 0;
  while (rounds < 2'000) {
    std::vector<std::string> raws;
    while (raws.size() < 2) {
      std::string raw = random_request(rng, version, true);
      if (rng.chance(0.3)) mutate(rng, raw);
      const Result<Scan> scanned = scan(raw, version);
      if (scanned.has_value() && scanned->clean()) raws.push_back(std::move(raw));
    }
    ++rounds;
    std::vector<test::Point> expected = test::samples_of(raws[0], version);
    for (test::Point& point : test::samples_of(raws[1], version)) expected.push_back(std::move(point));
    const auto records = test::stored_records(raws, version);
    INFO(hex(raws[0]) << " and " << hex(raws[1]) << " seed " << seed());

    const Result<Encoded> merged = merge(records);
    REQUIRE(merged.has_value());
    REQUIRE(test::samples_of(test::snappy_plain(merged->body), version) == expected);
    REQUIRE(merged->units == expected.size());

    const Result<Message> message = Message::decode(records);
    REQUIRE(message.has_value());
    const std::size_t cut = rng.below(message->items() + 1);
    const Encoded front = message->encode(0, cut, version, {});
    const Encoded back = message->encode(cut, message->items(), version, {});
    auto points = test::samples_of(test::snappy_plain(front.body), version);
    for (test::Point& point : test::samples_of(test::snappy_plain(back.body), version))
      points.push_back(std::move(point));
    REQUIRE(points == expected);

    const Encoded v1 = message->encode(0, message->items(), Version::v1, {});
    std::uint64_t stripped = 0;
    for (test::Point& point : expected) stripped += std::exchange(point.start_ms, 0) != 0 ? 1 : 0;
    REQUIRE(test::samples_of(test::snappy_plain(v1.body), Version::v1) == expected);
    REQUIRE(v1.stripped == stripped);
    REQUIRE(scan(test::snappy_plain(v1.body), Version::v1)->clean());
  }
}

}  // namespace
}  // namespace tideover::remote_write
