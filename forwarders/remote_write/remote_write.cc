#include "forwarders/remote_write/remote_write.h"

namespace tideover::remote_write {

std::string_view content_type(Version version) {
  return version == Version::v1 ? "application/x-protobuf"
                                : "application/x-protobuf;proto=io.prometheus.write.v2.Request";
}

std::string_view version_header(Version version) { return version == Version::v1 ? "0.1.0" : "2.0.0"; }

}  // namespace tideover::remote_write
