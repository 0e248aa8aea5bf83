#include "forwarders/thanos/refusal_words.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::thanos {
namespace {

const std::string kPushing = "failed pushing to ingester mimir-1: user=app1: ";
const std::string kSeries =
    ". The affected sample has timestamp 2026-01-01T00:00:00Z and is from series up{job=\"x\"}\n";

TEST_CASE("clauses that are cut short are read as far as they go") {
  CHECK(refusals_of("add 12 samples: out of bou").samples() == 0);
  CHECK(refusals_of("add 99999999999999999999 samples: out of bounds").window == 1);  // by mention
  CHECK(refusals_of("add ").samples() == 0);
  CHECK(refusals_of("").samples() == 0);
}

TEST_CASE("other servers' words for a window are known") {
  for (const std::string& text :
       {kPushing +
            "the sample has been rejected because its timestamp is too old "
            "(err-mimir-sample-timestamp-too-old)" +
            kSeries,
        kPushing +
            "the sample has been rejected because another sample with a more recent timestamp has already "
            "been "
            "ingested and this sample is beyond the out-of-order time window of 2h "
            "(err-mimir-sample-timestamp-too-old)" +
            kSeries,
        std::string(
            "received a sample whose timestamp is too far in the future (err-mimir-too-far-in-future)"),
        std::string("timestamp too old: 1700000000000 metric: \"up\""),
        std::string("timestamp too new: 1700000000000 metric: \"up\""),
        std::string("datapoint is too far in the past"),
        std::string("points beyond retention policy dropped=1")}) {
    INFO(text);
    CHECK(refusals_of(text).window == 1);
    CHECK(refusals_of(text).samples() == 1);
  }
}

TEST_CASE("an order that no window is spoken of with is an order, in Mimir's words too") {
  const Refusals found = refusals_of(
      kPushing +
      "the sample has been rejected because another sample with a more recent timestamp has already been "
      "ingested and out-of-order samples are not allowed (err-mimir-sample-out-of-order)" +
      kSeries);
  CHECK(found.out_of_order == 1);
  CHECK(found.window == 0);
  CHECK(refusals_of("user=a: err: out of order sample. timestamp=1970-01-01T00:00:00.009Z").out_of_order ==
        1);
}

TEST_CASE("a limit may be raised") {
  CHECK(refusals_of(kPushing + "per-user series limit of 150000 exceeded (err-mimir-max-series-per-user)")
            .limit == 1);
  CHECK(refusals_of("user=a: per-metric series limit of 10 exceeded").limit == 1);
}

TEST_CASE("exemplars are no samples") {
  CHECK(refusals_of("out of order exemplar for series {}\n").samples() == 0);
  CHECK(refusals_of("out of order exemplar for series {}\n").understood());
}

TEST_CASE("words of a proxy, or of a server that is asked in vain, are not understood") {
  for (const char* text : {"unsupported path requested: \"/api/v1/receive\"", "no", "conflict", "Bad Request",
                           "tenant name not valid", "<html>service out of order</html>"}) {
    INFO(text);
    CHECK_FALSE(refusals_of(text).understood());
  }
}

}  // namespace
}  // namespace tideover::thanos
