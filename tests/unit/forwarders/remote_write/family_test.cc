// Metadata of 2.0 hangs on a series, that of 1.0 on a family: what the family is called, for every type.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "forwarders/remote_write/message.h"
#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

enum : std::int32_t {
  kCounter = 1,
  kGauge = 2,
  kHistogram = 3,
  kGaugeHistogram = 4,
  kSummary = 5,
  kInfo = 6
};

std::string family_of(const std::string& series, std::int32_t type) {
  test::WriteRequest request;
  request.series({{"__name__", series}}).sample(1, 1).metadata({"", type, "Help.", ""});
  const auto message = Message::decode(test::stored_records({request.encode(Version::v2)}, Version::v2));
  REQUIRE(message.has_value());
  const Encoded encoded = message->encode(0, message->items(), Version::v1, {});
  const auto metadata = test::contents_of(test::snappy_plain(encoded.body), Version::v1).metadata;
  REQUIRE(metadata.size() == 1);
  CHECK(metadata[0].type == type);
  return metadata[0].family;
}

TEST_CASE("metadata reaches a 1.0 receiver under the name of its family, also that of a gauge histogram") {
  struct Case {
    std::int32_t type;
    std::vector<std::string> off;    // suffixes that are no part of the family's name
    std::vector<std::string> stays;  // and those that are
  };
  const Case c = GENERATE(
      Case{kHistogram, {"_bucket", "_count", "_sum", "_gcount", "_gsum"}, {"_total", "_created", "_info"}},
      Case{kGaugeHistogram, {"_bucket", "_count", "_sum", "_gcount", "_gsum"}, {"_total", "_info"}},
      Case{kSummary, {"_count", "_sum"}, {"_bucket", "_gcount", "_gsum", "_total"}},
      Case{kCounter, {}, {"_total", "_count", "_sum", "_bucket"}},
      Case{kGauge, {}, {"_count", "_sum", "_bucket", "_gsum"}}, Case{kInfo, {}, {"_info", "_count"}});
  CAPTURE(c.type);
  for (const std::string& suffix : c.off) CHECK(family_of("rpc" + suffix, c.type) == "rpc");
  for (const std::string& suffix : c.stays) CHECK(family_of("rpc" + suffix, c.type) == "rpc" + suffix);
  CHECK(family_of("rpc", c.type) == "rpc");
}

}  // namespace
}  // namespace tideover::remote_write
