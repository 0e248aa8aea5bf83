// Loki's push request: the scanner against generated protobuf code, what the writer makes of it again, and
// what intake keeps of it: every entry kept or counted, and what was kept is kept whole the next time.
//
// Intended differences are all in the oracle (tests/support/push_oracle.cc).
#include <cstdint>
#include <string>

#include "agent/ingest/loki/sift.h"
#include "forwarders/loki/push_scan.h"
#include "forwarders/loki/push_writer.h"
#include "tests/support/push_oracle.h"
#include "wal/base/invariant.h"

namespace tideover::ingest::loki {
namespace {

using test::PushedStreams;

constexpr std::int64_t kNowMs = 1'764'396'000'000;
constexpr std::size_t kSentenceBytesMax = 16 << 10;  // an answer, not an echo

std::uint64_t entries_of(const PushedStreams& streams) {
  std::uint64_t sum = 0;
  for (const test::PushedStream& stream : streams) sum += stream.entries.size();
  return sum;
}

std::string written_again(std::string_view raw) {
  tideover::loki::PushWriter writer;
  tideover::loki::PushReader reader(raw);
  tideover::loki::PushEntry entry;
  while (reader.next_stream()) {
    writer.stream(reader.labels());
    while (reader.next_entry(entry)) writer.entry(entry.ns, entry.line, entry.metadata);
  }
  const std::uint64_t bytes = writer.bytes();
  std::string message = writer.take();
  invariant(message.size() == bytes, "the writer knows its size");
  return message;
}

void check_writer(std::string_view raw, PushedStreams expected) {
  std::erase_if(expected, [](const test::PushedStream& stream) { return stream.entries.empty(); });
  invariant(test::pushed_as_generated_code_reads(written_again(raw)) == expected,
            "what is written again is what was read");
}

void check_sift(std::string_view raw, const PushedStreams& all, const Limits& limits) {
  const Result<Sifted> sifted = sift(raw, kNowMs, limits, 512);
  bool parse = true;
  for (const test::PushedStream& stream : all)
    parse = parse && tideover::loki::parse_labels(stream.labels).has_value();
  invariant(sifted.has_value() == parse, "labels alone refuse a whole push that can be read");
  if (!sifted) return;
  invariant(sifted->entries() + sifted->faults.total() == entries_of(all), "an entry is kept or counted");
  invariant(sifted->faults.text().size() <= kSentenceBytesMax, "the words of an answer are few");
  invariant(sifted->faults.none() == sifted->faults.text().empty(), "what is refused is named");
  for (const Kept& kept : sifted->kept) {
    const auto again = sift(kept.message, kNowMs, limits);
    invariant(again.has_value() && again->faults.none() && again->kept.size() == 1,
              "what was kept is nothing to refuse");
    invariant(again->kept[0].message == kept.message, "what was kept is kept as it is");
  }
}

void check(std::string_view raw) {
  const auto expected = test::pushed_as_generated_code_reads(raw);
  invariant(test::pushed_as_scanned(raw) == expected, "the scan finds what generated code finds");
  if (!expected) {
    invariant(!sift(raw, kNowMs, {}).has_value(), "nothing is kept of what is no push");
    return;
  }
  check_writer(raw, *expected);
  check_sift(raw, *expected, {});
  Limits narrow;
  narrow.age_max = std::chrono::seconds(0);
  narrow.line_bytes_max = 8;
  narrow.label_names_max = 2;
  narrow.label_value_bytes_max = 4;
  narrow.metadata_pairs_max = 1;
  narrow.metadata_bytes_max = 8;
  check_sift(raw, *expected, narrow);
}

}  // namespace
}  // namespace tideover::ingest::loki

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tideover::ingest::loki::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
