// What a receiver repeats of our secrets is shown to nobody.
#include "agent/redaction.h"

#include <catch2/catch.hpp>

namespace tideover {
namespace {

config::Destination destination() {
  config::Destination d;
  d.url = *config::parse_url("http://h/write?key=SECRET-1&user=eva&more=SECRET-2");
  d.headers = {{"X-License", "SECRET-3"}, {"X-Short", "for"}};
  return d;
}

TEST_CASE("the query, its values and headers' values are taken out of a receiver's words") {
  const Redaction redact(destination());
  CHECK(redact("404: no /write?key=SECRET-1&user=eva&more=SECRET-2 here") == "404: no /write?... here");
  CHECK(redact("SECRET-2 and SECRET-1SECRET-3") == "... and ......");
  CHECK(redact("no space for eva") == "no space for eva");  // words of any sentence
  CHECK(Redaction(config::Destination{})("as it is") == "as it is");
}

TEST_CASE("of two destinations by one name each has its own secrets") {
  config::Config config;
  config.metrics.emplace().destinations.push_back(destination());
  config::Destination other = destination();
  other.headers = {{"X-License", "SECRET-4"}};
  config.logs.emplace().destinations.push_back(other);
  for (auto* of : {&config.metrics->destinations, &config.logs->destinations}) of->front().name = "mgmt";
  CHECK(redaction_of(config, "metrics", "mgmt")("SECRET-3 SECRET-4") == "... SECRET-4");
  CHECK(redaction_of(config, "logs", "mgmt")("SECRET-3 SECRET-4") == "SECRET-3 ...");
  CHECK(redaction_of(config, "logs", "gone")("SECRET-4") == "SECRET-4");
}

}  // namespace
}  // namespace tideover
