#include "bench/tally.h"

#include <algorithm>

#include "bench/digest.h"
#include "forwarders/remote_write/snappy.h"
#include "forwarders/remote_write/wire.h"

namespace tideover::bench {
namespace {

namespace wire = remote_write::wire;
using remote_write::Version;

struct Sample {
  std::int64_t time_ms = 0;
  std::uint64_t value_bits = 0;
};

bool read_sample(std::string_view message, Sample& sample) {
  wire::Reader reader(message);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t number;
    if (!reader.tag(tag)) return false;
    if (tag == wire::tag_of(1, wire::kFixed64)) {
      if (!reader.fixed64(sample.value_bits)) return false;
    } else if (tag == wire::tag_of(2, wire::kVarint)) {
      if (!reader.varint(number)) return false;
      sample.time_ms = static_cast<std::int64_t>(number);
    } else if (!reader.skip(tag)) {
      return false;
    }
  }
  return true;
}

bool hash_label(std::string_view message, SeriesHash& hash) {
  wire::Reader reader(message);
  std::string_view name, value;
  while (!reader.done()) {
    std::uint32_t tag;
    std::string_view text;
    if (!reader.tag(tag) || !reader.bytes(text)) return false;
    (wire::field_of(tag) == 1 ? name : value) = text;
  }
  hash.add(name, value);
  return true;
}

bool hash_references(std::string_view packed, const std::vector<std::string_view>& symbols,
                     SeriesHash& hash) {
  wire::Reader reader(packed);
  while (!reader.done()) {
    std::uint64_t name, value;
    if (!reader.varint(name) || !reader.varint(value)) return false;
    if (name >= symbols.size() || value >= symbols.size()) return false;
    hash.add(symbols[name], symbols[value]);
  }
  return true;
}

}  // namespace

struct Tally::Series {
  SeriesHash hash;
  std::uint64_t count = 0;
  std::vector<Sample> samples;  // only when they are to be verified
};

bool Tally::add(std::string_view compressed, Version version) {
  if (remote_write::decompress(compressed, remote_write::kDecodedBytesMax, raw_).has_error()) return false;
  const std::uint32_t series_tag = wire::tag_of(version == Version::v1 ? 1 : 5, wire::kBytes);
  const std::uint32_t symbol_tag = version == Version::v1 ? 0 : wire::tag_of(4, wire::kBytes);
  symbols_.clear();
  wire::Reader reader(raw_);
  while (!reader.done()) {
    std::uint32_t tag;
    std::string_view part;
    if (!reader.tag(tag)) return false;
    if (tag == series_tag) {
      if (!reader.bytes(part) || !add_series(part, version)) return false;
    } else if (tag == symbol_tag) {
      if (!reader.bytes(part)) return false;
      symbols_.push_back(part);
    } else if (!reader.skip(tag)) {
      return false;
    }
  }
  return true;
}

bool Tally::add_series(std::string_view message, Version version) {
  Series series;
  if (!read_series(message, version, series)) return false;
  samples_ += series.count;
  if (verify_) check(series);
  return true;
}

bool Tally::read_series(std::string_view message, Version version, Series& series) {
  wire::Reader reader(message);
  while (!reader.done()) {
    std::uint32_t tag;
    std::string_view part;
    if (!reader.tag(tag)) return false;
    if (wire::type_of(tag) != wire::kBytes) {
      if (!reader.skip(tag)) return false;
      continue;
    }
    if (!reader.bytes(part)) return false;
    const std::uint32_t field = wire::field_of(tag);
    if (field == 2) {
      ++series.count;
      if (verify_ && !read_sample(part, series.samples.emplace_back())) return false;
    } else if (field == 1 && verify_) {
      if (version == Version::v1 ? !hash_label(part, series.hash)
                                 : !hash_references(part, symbols_, series.hash)) {
        return false;
      }
    }
  }
  return true;
}

void Tally::check(const Series& series) {
  std::int64_t& newest_ms = newest_ms_[series.hash.value()];
  for (const Sample& sample : series.samples) {
    if (sample.time_ms <= newest_ms) ++order_faults_;
    newest_ms = std::max(newest_ms, sample.time_ms);
    digest_ += sample_digest(series.hash.value(), sample.time_ms, sample.value_bits);
  }
}

}  // namespace tideover::bench
