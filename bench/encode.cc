#include "bench/encode.h"

#include <fmt/format.h>
#include <optional>
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
  sample.append(kOpenBytes, '\0');
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
    const auto [entry, is_new] = numbers_.try_emplace(text, count_);
    if (is_new) append(text);
    return entry->second;
  }
  std::uint64_t number_of_churn_value() {
    if (!churn_value_) {
      churn_value_ = append(std::string(kOpenBytes, '\0'));
      churn_value_offset_ = static_cast<std::uint32_t>(encoded_.size() - kOpenBytes);
    }
    return *churn_value_;
  }

  const std::string& encoded() const { return encoded_; }
  std::optional<std::uint32_t> churn_value_offset() const { return churn_value_offset_; }

 private:
  std::uint64_t append(std::string_view text) {
    wire::put_bytes(encoded_, 4, text);
    return count_++;
  }

  std::unordered_map<std::string_view, std::uint64_t> numbers_;
  std::uint64_t count_ = 0;
  std::optional<std::uint64_t> churn_value_;
  std::optional<std::uint32_t> churn_value_offset_;
  std::string encoded_;
};

// The open value comes last.
std::string labels_v1(const Labels& labels, bool churning) {
  std::string out;
  for (const auto& label : labels) put_label_v1(out, label);
  if (churning) put_label_v1(out, {kChurnLabel, std::string(kOpenBytes, '\0')});
  return out;
}

std::string labels_v2(const Labels& labels, bool churning, Symbols& symbols) {
  std::string references;
  for (const auto& [name, value] : labels) {
    wire::put_varint(references, symbols.number_of(name));
    wire::put_varint(references, symbols.number_of(value));
  }
  if (churning) {
    wire::put_varint(references, symbols.number_of(kChurnLabel));
    wire::put_varint(references, symbols.number_of_churn_value());
  }
  std::string out;
  wire::put_bytes(out, 1, references);
  return out;
}

std::string metadata_v2(const Metadata& metadata, Symbols& symbols) {
  std::string message;
  const auto put = [&](std::uint32_t field, std::uint64_t number) {
    if (number == 0) return;  // proto3 leaves zero out
    wire::put_varint(message, wire::tag_of(field, wire::kVarint));
    wire::put_varint(message, number);
  };
  put(1, metadata.type);
  put(3, symbols.number_of(metadata.help));
  put(4, symbols.number_of(metadata.unit));
  std::string out;
  wire::put_bytes(out, 5, message);
  return out;
}

}  // namespace

OpenMessage encode(const Source& source, std::span<const SourceSample> samples, Version version) {
  OpenMessage message;
  Symbols symbols;
  for (const SourceSample& sample : samples) {
    const bool churning = sample.series < source.churning;
    const Labels& labels = source.series[sample.series];
    std::string series =
        version == Version::v1 ? labels_v1(labels, churning) : labels_v2(labels, churning, symbols);
    const std::size_t labels_end = series.size();
    wire::put_bytes(series, 2, open_sample(sample.value_bits));
    const std::size_t sample_end = series.size();
    if (version == Version::v2 && !source.metadata.empty())
      series += metadata_v2(source.metadata[sample.series], symbols);
    wire::put_bytes(message.bytes, version == Version::v1 ? 1 : 5, series);

    const std::size_t start = message.bytes.size() - series.size();
    const auto open_before = [&](std::size_t end) {
      return static_cast<std::uint32_t>(start + end - kOpenBytes);
    };
    message.slots.push_back({open_before(sample_end), sample.tick});
    if (version == Version::v1 && churning)
      message.slots.push_back({open_before(labels_end), OpenMessage::kRepetition});
  }
  if (version == Version::v2) {  // symbols go first, as Prometheus sends them
    message.bytes.insert(0, symbols.encoded());
    for (auto& slot : message.slots) slot.offset += static_cast<std::uint32_t>(symbols.encoded().size());
    if (const auto offset = symbols.churn_value_offset())
      message.slots.push_back({*offset, OpenMessage::kRepetition});
  }
  return message;
}

std::string churn_value(std::uint32_t repetition) {
  return fmt::format("{:0{}x}", repetition & 0xffffff, kOpenBytes);
}

}  // namespace tideover::bench
