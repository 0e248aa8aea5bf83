// The wire scanner against generated protobuf code: what is a message, which of its series are valid, how
// much is in them, and what is left when the others are taken out.
//
// Intended differences, all in the oracle (tests/support/scan_oracle.cc), none here: a known field of another
// wire type is no message (as for Prometheus' own parser), nor are unknown groups nested deeper than
// wire::kGroupDepthMax, nor a 2.0 request whose first symbol is not empty.
#include <cstdint>

#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/utf8.h"
#include "tests/support/scan_found.h"
#include "tests/support/scan_oracle.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

using test::Expectation;
using test::expected_of;

constexpr std::size_t kSentenceBytesMax = 4096;  // an answer, not an echo

Expectation found_by_scan(std::string_view raw, Version version) {
  const Result<Scan> scanned = scan(raw, version);
  if (!scanned) return {};
  const Counts& counts = scanned->counts;
  invariant(scanned->faults.size() <= scanned->faulty_series, "a fault that is named is counted");
  invariant(scanned->clean() == scanned->faults.empty(), "at least one of the faults is named");
  for (const Fault& fault : scanned->faults) {
    invariant(!fault.sentence.empty() && is_utf8(fault.sentence), "a fault has words");
    invariant(fault.sentence.size() <= kSentenceBytesMax, "a fault's words are few");
    invariant(fault.series <= counts.series + scanned->faulty_series, "a fault names a series that exists");
  }
  return test::found_by(scanned);
}

void check(std::string_view raw, Version version) {
  const Expectation expected = expected_of(raw, version);
  invariant(found_by_scan(raw, version) == expected, "the scan finds what generated code finds");
  if (!expected.decodes) {
    invariant(without_faults(raw, version).empty(), "nothing is kept of what is no message");
    return;
  }
  const std::string rest = without_faults(raw, version);
  Expectation valid = expected;
  valid.faulty = 0;
  invariant(found_by_scan(rest, version) == valid, "without its faults a request is clean");
  invariant(expected_of(rest, version) == valid, "generated code finds it clean, too");
  invariant(test::valid_parts_of(rest, version) == test::valid_parts_of(raw, version),
            "what was valid is kept as it was");
  invariant(without_faults(rest, version) == rest, "what is clean stays as it is");
  if (version == Version::v1 && expected.faulty == 0) invariant(rest == raw, "a clean request is kept whole");
}

}  // namespace
}  // namespace tideover::remote_write

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tideover::remote_write;
  check({reinterpret_cast<const char*>(data), size}, Version::FUZZED_VERSION);
  return 0;
}
