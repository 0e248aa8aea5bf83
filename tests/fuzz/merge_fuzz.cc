// Records that intake let pass, on their way out: merged, cut into slices, labelled, converted to 1.0.
// Whatever the form, generated code must read from it what it reads from the records one after the other.
//
// Input: a protobuf message of its own, whose field 1 (repeated) is a request each, and whose field 2 says
// where to cut.
#include <cstdint>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/utf8.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

using test::Contents;
using test::contents_of;

constexpr std::size_t kRecordsMax = 6;
constexpr std::size_t kDescribedBytesMax = 2048;

// Some names that a series of the corpus has, some that it has not.
const ExternalLabels kExternal{{"a", "first"}, {"cluster", "app1"}, {"job", "external"}, {"zz", "last"}};

struct Input {
  std::vector<std::string> raws;  // as intake stores them: clean, and with something in them
  std::size_t cut = 0;
};

void add_record(std::string_view raw, Version version, Input& input) {
  const Result<Scan> scanned = scan(raw, version);
  if (!scanned) return;
  const Counts& counts = scanned->counts;
  if (counts.floats + counts.histograms + counts.exemplars + counts.metadata == 0) return;
  input.raws.push_back(scanned->clean() ? std::string(raw) : without_faults(raw, version));
}

Input read_input(std::string_view bytes, Version version) {
  Input input;
  wire::Reader reader(bytes);
  while (!reader.done() && input.raws.size() < kRecordsMax) {
    std::uint32_t tag;
    std::string_view raw;
    std::uint64_t number;
    if (!reader.tag(tag)) break;
    if (tag == wire::tag_of(1, wire::kBytes)) {
      if (!reader.bytes(raw)) break;
      add_record(raw, version, input);
    } else if (tag == wire::tag_of(2, wire::kVarint)) {
      if (!reader.varint(number)) break;
      input.cut = static_cast<std::size_t>(number);
    } else if (!reader.skip(tag)) {
      break;
    }
  }
  return input;
}

// A request that goes out: clean, and accounted for as a scan of it finds.
Contents check_request(const Encoded& encoded, Version version, bool made_anew) {
  const std::string raw = test::snappy_plain(encoded.body);
  const Result<Scan> scanned = scan(raw, version);
  invariant(scanned.has_value() && scanned->clean(), "what goes out is clean");
  const Counts& found = scanned->counts;
  const Counts& said = encoded.counts;
  invariant(said.floats == found.floats && said.histograms == found.histograms, "points are accounted for");
  invariant(said.exemplars == found.exemplars, "exemplars are accounted for");
  invariant(said.metadata == found.metadata, "metadata is accounted for");
  invariant(encoded.units == std::uint64_t{found.floats} + found.histograms, "units are accounted for");
  invariant(encoded.oldest_ms == scanned->oldest_ms && encoded.newest_ms == scanned->newest_ms,
            "the times of its points are known");
  if (made_anew) {
    invariant(said.series == found.series, "series are accounted for");
    invariant(scanned->sorted, "what is made anew is sorted");
  }
  return contents_of(raw, version);
}

void append(Contents& to, Contents more) {
  for (test::Point& point : more.points) to.points.push_back(std::move(point));
  for (test::MetadataSpec& entry : more.metadata) to.metadata.push_back(std::move(entry));
}

void add_external(Contents& contents) {
  const auto add = [](test::LabelMap& labels) { labels.insert(kExternal.begin(), kExternal.end()); };
  for (test::Point& point : contents.points) add(point.labels);
  for (test::ExemplarPoint& exemplar : contents.exemplars) add(exemplar.series);
  for (auto& [labels, metadata] : contents.of_series) add(labels);
}

void check(const Input& input, Version version) {
  const std::vector<wal::StoredRecord> records = test::stored_records(input.raws, version);
  Contents expected = test::joined(input.raws, version);

  const Result<Encoded> merged = merge(records);
  invariant(merged.has_value(), "what intake accepted can be merged");
  invariant(check_request(*merged, version, false) == expected, "a merge says what its records say");
  if (passes_through(records, version, {})) invariant(expected.sorted, "what passes through is sorted");

  const Result<Message> message = Message::decode(records);
  invariant(message.has_value(), "what intake accepted decodes");
  const std::size_t items = message->items();
  for (std::size_t item = 0; item < items; ++item) {
    const std::string words = message->describe(item);
    invariant(!words.empty() && is_utf8(words) && words.size() <= kDescribedBytesMax, "an item has a name");
  }

  expected.sorted = true;
  invariant(check_request(message->encode(0, items, version, {}), version, true) == expected,
            "what is made anew says what the records say");

  const std::size_t cut = input.cut % (items + 1);
  Contents sliced = check_request(message->encode(0, cut, version, {}), version, true);
  append(sliced, check_request(message->encode(cut, items, version, {}), version, true));
  invariant(sliced.points == expected.points && sliced.metadata == expected.metadata,
            "two slices say what the whole says");
  invariant(message->units(0, cut) + message->units(cut, items) == expected.points.size(),
            "the units of two slices are those of the whole");

  Contents labelled = expected;
  add_external(labelled);
  invariant(check_request(message->encode(0, items, version, kExternal), version, true) == labelled,
            "labels are added where the series has none of the name");
  if (version == Version::v1) return;

  std::uint64_t stripped = 0;
  for (test::Point& point : labelled.points) stripped += std::exchange(point.start_ms, 0) != 0 ? 1 : 0;
  const Encoded converted = message->encode(0, items, Version::v1, kExternal);
  const Contents found = check_request(converted, Version::v1, true);
  invariant(found.points == labelled.points, "a conversion to 1.0 says what the records say");
  invariant(found.exemplars == labelled.exemplars, "a conversion to 1.0 keeps exemplars");
  invariant(converted.stripped == stripped, "start timestamps that 1.0 cannot carry are counted");
  invariant(found.metadata.empty() == labelled.of_series.empty(), "a conversion to 1.0 keeps metadata");
  invariant(found.metadata.size() <= labelled.of_series.size(), "a family has one entry at most");
}

}  // namespace
}  // namespace tideover::remote_write

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideover::remote_write;
  const Input input = read_input({reinterpret_cast<const char*>(data), size}, Version::FUZZED_VERSION);
  if (!input.raws.empty()) check(input, Version::FUZZED_VERSION);
  return 0;
}
