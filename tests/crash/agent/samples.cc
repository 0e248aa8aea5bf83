#include "tests/crash/agent/samples.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <stdexcept>

#include "bench/encode.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/write_request_builder.h"

namespace tideover::crash {
namespace {

// The finaliser of splitmix64.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// What does not compress makes a request large without many samples.
std::string noise(std::uint64_t seed, std::size_t size) {
  std::string text;
  for (std::uint64_t state = seed << 16; text.size() < size; ++state)
    for (std::uint64_t bits = mix(state * 0x9e3779b97f4a7c15 + 1); bits != 0 && text.size() < size;
         bits >>= 6)
      text.push_back("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"[bits & 63]);
  return text;
}

constexpr std::size_t kNoiseBytes = 160;

std::optional<std::uint32_t> number_in(const test::LabelMap& labels, const char* name) {
  const auto found = labels.find(name);
  if (found == labels.end()) return std::nullopt;
  std::uint32_t number = 0;
  const char* const end = found->second.data() + found->second.size();
  const auto parsed = std::from_chars(found->second.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

}  // namespace

Samples::Samples(std::uint32_t connections, std::int64_t start_ms) : start_ms_(start_ms) {
  for (std::uint32_t connection = 0; connection < connections; ++connection)
    for (std::uint32_t series = 0; series < kSeriesMax; ++series)
      source_.series.push_back({{"__name__", "crash_total"},
                                {"connection", std::to_string(connection)},
                                {"noise", noise(connection * kSeriesMax + series, kNoiseBytes)},
                                {"series", std::to_string(series)}});
}

std::uint64_t Samples::value_bits(RequestId id, std::uint32_t series) const {
  return mix(mix(std::uint64_t{id.connection} * kSeriesMax + series + 1) + id.number);
}

std::string Samples::request(RequestId id, std::uint32_t series, remote_write::Version version) const {
  std::vector<bench::SourceSample> samples;
  for (std::uint32_t i = 0; i < series; ++i)
    samples.push_back({id.connection * kSeriesMax + i, id.number, value_bits(id, i)});
  bench::OpenMessage message = bench::encode(source_, samples, version);
  for (const bench::OpenMessage::Slot& slot : message.slots) {
    std::string varint;
    remote_write::wire::put_varint(varint, static_cast<std::uint64_t>(start_ms_) + slot.tick);
    message.bytes.replace(slot.offset, bench::kOpenBytes, varint);
  }
  return test::snappy_block(message.bytes);
}

std::optional<Samples::Received> Samples::receive(const std::string& body, remote_write::Version version,
                                                  Account& account) const {
  std::vector<test::Point> points;
  try {
    points = test::samples_of(test::snappy_plain(body), version);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  Received received{points.size(), {}};
  for (const test::Point& point : points) {
    const auto connection = number_in(point.labels, "connection");
    const auto series = number_in(point.labels, "series");
    const std::int64_t number = point.timestamp_ms - start_ms_;
    if (!connection || !series || *series >= kSeriesMax || number <= 0 || number > UINT32_MAX ||
        std::size_t{*connection} * kSeriesMax + *series >= source_.series.size()) {
      account.received_foreign("a sample of a series or time that nobody sent");
      continue;
    }
    const RequestId id{*connection, static_cast<std::uint32_t>(number)};
    const bench::Labels& labels = source_.series[std::size_t{*connection} * kSeriesMax + *series];
    const bool genuine = point.value_bits == value_bits(id, *series) && point.histogram.empty() &&
                         point.labels == test::LabelMap(labels.begin(), labels.end());
    account.received(id, *series, genuine);
    received.from[id][*series] = true;
  }
  return received;
}

}  // namespace tideover::crash
