#include "bench/report.h"

#include <catch2/catch.hpp>

#include "bench/json_text.h"

using namespace tideover::bench;

TEST_CASE("a quantile is the smallest value that so large a share does not exceed") {
  std::vector<float> latencies;
  for (int i = 1; i <= 1000; ++i) latencies.push_back(static_cast<float>(i) / 1000);
  CHECK(quantile_ms(latencies, 0.5) == Approx(500));
  CHECK(quantile_ms(latencies, 0.99) == Approx(990));
  CHECK(quantile_ms(latencies, 0.999) == Approx(999));
  CHECK(quantile_ms(latencies, 1) == Approx(1000));
  CHECK(quantile_ms({0.25F}, 0.5) == Approx(250));
  CHECK(quantile_ms({}, 0.5) == 0);
}

TEST_CASE("JSON numbers are written plainly, text is escaped, and what is no number is null") {
  JsonObject inner;
  inner.flag("yes", true).nothing("none");
  JsonObject json;
  json.text("a\"b", "line\nend").count("n", 12345678901).number("x", 1234.5, 2).number("nan", 0.0 / 0.0, 1);
  json.object("inner", inner).objects("list", {inner, inner}).texts("words", {"p", "q"}).texts("no", {});
  CHECK(
      json.str() ==
      R"({"a\"b": "line\nend", "n": 12345678901, "x": 1234.50, "nan": null, )"
      R"("inner": {"yes": true, "none": null}, "list": [{"yes": true, "none": null}, {"yes": true, "none": null}], )"
      R"("words": ["p", "q"], "no": []})");
}
