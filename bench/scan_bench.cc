// What one core does with captured requests: scan, decompress, merge, convert. One JSON line for each
// version.
//
//   cmake --preset release && cmake --build --preset release --target scan_bench && build/release/scan_bench
//
// Every request is measured on its own, best of several, in CPU time of the thread: what other processes do
// meanwhile shows little. Input is warm in the cache, as it is right behind the socket or the decompression.
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <functional>
#include <string>
#include <time.h>
#include <vector>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/snappy.h"
#include "tests/support/capture.h"
#include "wal/base/invariant.h"

namespace tideover {
namespace {

using remote_write::Version;

constexpr int kRepeats = 20;
constexpr std::uint64_t kUnitsMax = 10'000;  // of one request to the receiver, as the sender asks for
constexpr std::uint64_t kRawBytesMax = 3 << 20;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const std::function<void()>& work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

double best_of_repeats(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < kRepeats; ++i) best = std::min(best, seconds_of(work));
  return best;
}

// What a request costs on its way in: decompressed, and scanned while the cache is warm of that. The whole
// capture passes between two repeats of one request, or the branch predictor would know it by heart.
struct Intake {
  double decompress_s = 0;
  double scan_s = 0;
};

Intake measure_intake(const std::vector<std::string>& blocks, Version version) {
  std::vector<Intake> best(blocks.size(), {1e9, 1e9});
  std::string plain;
  for (int pass = 0; pass < kRepeats; ++pass) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      best[i].decompress_s = std::min(
          best[i].decompress_s, seconds_of([&] {
            invariant(remote_write::decompress(blocks[i], remote_write::kDecodedBytesMax, plain).has_value(),
                      "decodes");
          }));
      best[i].scan_s = std::min(best[i].scan_s, seconds_of([&] {
                                  invariant(remote_write::scan(plain, version).has_value(), "is a message");
                                }));
    }
  }
  Intake sum;
  for (const Intake& request : best) {
    sum.decompress_s += request.decompress_s;
    sum.scan_s += request.scan_s;
  }
  return sum;
}

wal::StoredRecord record_of(const std::string& block, const std::string& raw, Version version,
                            const remote_write::Scan& scan) {
  wal::StoredRecord record;
  record.attributes.encoding = static_cast<std::uint16_t>(version);
  record.attributes.flags = scan.sorted ? remote_write::kSorted : 0;
  record.attributes.units = scan.counts.floats + scan.counts.histograms;
  record.attributes.raw_bytes = static_cast<std::uint32_t>(raw.size());
  record.bytes = std::make_shared<const std::string>(std::string(wal::kEnvelopeBytes, '\0') + block);
  return record;
}

void measure(Version version) {
  double compress_s = 0;
  double raw_mb = 0;
  double snappy_mb = 0;
  std::uint64_t units = 0;
  std::vector<wal::StoredRecord> records;
  std::vector<std::string> blocks;
  for (const auto& request : test::read_capture(version)) {
    std::string block;
    compress_s += best_of_repeats([&] { remote_write::compress(request.body, block); });
    const remote_write::Scan scan = *remote_write::scan(request.body, version);
    units += scan.counts.floats + scan.counts.histograms;
    raw_mb += static_cast<double>(request.body.size()) * 1e-6;
    snappy_mb += static_cast<double>(block.size()) * 1e-6;
    records.push_back(record_of(block, request.body, version, scan));
    blocks.push_back(std::move(block));
  }
  const auto [decompress_s, scan_s] = measure_intake(blocks, version);

  double merge_s = 0;
  double convert_s = 0;
  double merged_mb = 0;
  double converted_mb = 0;
  std::size_t requests = 0;
  for (std::span<const wal::StoredRecord> rest = records; !rest.empty(); ++requests) {
    const auto batch = rest.first(remote_write::mergeable(rest, kUnitsMax, kRawBytesMax));
    remote_write::Encoded out;
    merge_s += best_of_repeats([&] { out = *remote_write::merge(batch); });
    merged_mb += static_cast<double>(out.body.size()) * 1e-6;
    convert_s += best_of_repeats([&] {
      const auto message = *remote_write::Message::decode(batch);
      out = message.encode(0, message.items(), Version::v1, {{"cluster_of_origin", "app1"}});
    });
    converted_mb += static_cast<double>(out.body.size()) * 1e-6;
    rest = rest.subspan(batch.size());
  }

  const double samples = static_cast<double>(units);
  fmt::print(
      R"({{"version": {}, "samples": {}, "raw_mb": {:.1f}, "snappy_mb": {:.1f}, "scan_samples_per_s": {:.0f}, )"
      R"("scan_mb_per_s": {:.0f}, "decompress_mb_per_s": {:.0f}, "compress_mb_per_s": {:.0f}, )"
      R"("merge_requests": {}, "merge_mb_per_s": {:.0f}, "merge_samples_per_s": {:.0f}, "merged_mb": {:.1f}, )"
      R"("relabel_to_v1_samples_per_s": {:.0f}, "relabelled_mb": {:.1f}}})"
      "\n",
      static_cast<int>(version), units, raw_mb, snappy_mb, samples / scan_s, raw_mb / scan_s,
      raw_mb / decompress_s, raw_mb / compress_s, requests, raw_mb / merge_s, samples / merge_s, merged_mb,
      samples / convert_s, converted_mb);
}

}  // namespace
}  // namespace tideover

int main() {
  tideover::measure(tideover::remote_write::Version::v1);
  tideover::measure(tideover::remote_write::Version::v2);
}
