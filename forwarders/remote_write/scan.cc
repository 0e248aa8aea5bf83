#include "forwarders/remote_write/scan.h"

#include "forwarders/remote_write/series_scan.h"

namespace tideover::remote_write {
namespace {

bool scan_into(std::string_view raw, Version version, ScanTotal& total) {
  return (version == Version::v1 ? scan_v1(raw, total) : scan_v2(raw, total)) && total.counts_fit();
}

}  // namespace

Result<Scan> scan(std::string_view raw, Version version) {
  ScanTotal total(nullptr);
  if (!scan_into(raw, version, total)) {
    if (!total.excess().empty()) return fail(Errc::too_large, "the request is too large: " + total.excess());
    return fail(Errc::bad_input, version == Version::v1
                                     ? "the body is not a prometheus.WriteRequest message"
                                     : "the body is not an io.prometheus.write.v2.Request message");
  }
  return total.take();
}

std::string without_faults(std::string_view raw, Version version) {
  std::string kept;
  kept.reserve(raw.size());
  ScanTotal total(&kept);
  if (!scan_into(raw, version, total)) return {};
  return kept;
}

}  // namespace tideover::remote_write
