#include "bench/encode.h"

#include <unordered_map>

#include "forwarders/remote_write/wire.h"

namespace tideover::bench {
namespace {

namespace wire = remote_write::wire;
using remote_write::Version;

void put_fixed64(std::string& out, std::uint32_t field, std::uint64_t value) {
  wire::put_varint(out, wire::tag_of(field, wire::kFixed64));
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// Sample {1: value, 2: timestamp} is the same in both versions. The timestamp comes last.
std::string open_sample(std::uint64_t value_bits) {
  std::string sample;
  if (value_bits != 0) put_fixed64(sample, 1, value_bits);  // proto3 leaves zero out
  wire::put_varint(sample, wire::tag_of(2, wire::kVarint));
  sample.append(kTimeBytes, '\0');
  return sample;
}

void put_label_v1(std::string& out, const Labels::value_type& label) {
  std::string message;
  wire::put_bytes(message, 1, label.first);
  wire::put_bytes(message, 2, label.second);
  wire::put_bytes(out, 1, message);
}

class Symbols {
 public:
  Symbols() { number_of(""); }  // 2.0 wants the empty string first

  std::uint64_t number_of(std::string_view text) {
    const auto [entry, is_new] = numbers_.try_emplace(text, numbers_.size());
    if (is_new) wire::put_bytes(encoded_, 4, text);
    return entry->second;
  }
  const std::string& encoded() const { return encoded_; }

 private:
  std::unordered_map<std::string_view, std::uint64_t> numbers_;
  std::string encoded_;
};

std::string labels_of(const Labels& labels, Version version, Symbols& symbols) {
  std::string out;
  if (version == Version::v1) {
    for (const auto& label : labels) put_label_v1(out, label);
    return out;
  }
  std::string references;
  for (const auto& [name, value] : labels) {
    wire::put_varint(references, symbols.number_of(name));
    wire::put_varint(references, symbols.number_of(value));
  }
  wire::put_bytes(out, 1, references);
  return out;
}

}  // namespace

OpenMessage encode(const Source& source, std::span<const SourceSample> samples, Version version) {
  OpenMessage message;
  Symbols symbols;
  for (const SourceSample& sample : samples) {
    std::string series = labels_of(source.series[sample.series], version, symbols);
    wire::put_bytes(series, 2, open_sample(sample.value_bits));
    wire::put_bytes(message.bytes, version == Version::v1 ? 1 : 5, series);
    message.times.push_back({static_cast<std::uint32_t>(message.bytes.size() - kTimeBytes), sample.tick});
  }
  if (version == Version::v2) {  // symbols go first, as Prometheus sends them
    message.bytes.insert(0, symbols.encoded());
    for (auto& time : message.times) time.offset += static_cast<std::uint32_t>(symbols.encoded().size());
  }
  return message;
}

}  // namespace tideover::bench
