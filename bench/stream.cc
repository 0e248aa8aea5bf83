#include "bench/stream.h"

#include "bench/digest.h"
#include "bench/encode.h"

namespace tideover::bench {
namespace {

std::uint64_t hash_of(const Labels& labels) {
  SeriesHash hash;
  for (const auto& [name, value] : labels) hash.add(name, value);
  return hash.value();
}

}  // namespace

std::string_view PreparedRequest::stamped(std::int64_t base_ms, std::uint32_t repetition) {
  body_.stamp(base_ms, repetition);
  return body_.body();
}

std::uint64_t PreparedRequest::digest(const SeriesHashes& hashes, std::int64_t base_ms,
                                      std::uint32_t repetition) const {
  const std::string value = churn_value(repetition);
  std::uint64_t sum = 0;
  for (const SourceSample& sample : samples_) {
    SeriesHash hash(hashes.of_labels[sample.series]);
    if (sample.series < hashes.churning) hash.add(kChurnLabel, value);
    sum += sample_digest(hash.value(), base_ms + sample.tick, sample.value_bits);
  }
  return sum;
}

Result<Stream> prepare(const Source& source, const StreamOptions& options) {
  std::vector<std::vector<SourceSample>> shares(options.connections);
  for (const SourceSample& sample : source.samples) {
    shares[sample.series % options.connections].push_back(sample);
  }

  Stream stream;
  stream.version = options.version;
  stream.ticks = source.ticks;
  stream.hashes.churning = source.churning;
  for (const Labels& labels : source.series) stream.hashes.of_labels.push_back(hash_of(labels));
  for (const auto& share : shares) {
    auto& requests = stream.by_connection.emplace_back();
    for (std::size_t first = 0; first < share.size(); first += options.samples_per_request) {
      const std::size_t count = std::min<std::size_t>(options.samples_per_request, share.size() - first);
      std::vector<SourceSample> samples(share.begin() + static_cast<std::ptrdiff_t>(first),
                                        share.begin() + static_cast<std::ptrdiff_t>(first + count));
      auto body = PatchableRequest::make(encode(source, samples, options.version));
      if (body.has_error()) return body.error();
      stream.samples += count;
      stream.requests += 1;
      stream.bytes += body->body().size();
      requests.emplace_back(std::move(*body), std::move(samples));
    }
  }
  return stream;
}

}  // namespace tideover::bench
