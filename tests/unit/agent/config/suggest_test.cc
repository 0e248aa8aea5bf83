#include "agent/config/suggest.h"

#include <catch2/catch.hpp>

namespace tideover::config {
namespace {

const std::vector<std::string_view> kKeys = {"name",    "url", "tenant", "required", "out_of_order_window",
                                             "headers", "tls", "auth"};

TEST_CASE("a slip of a finger finds its key") {
  CHECK(nearest("nmae", kKeys) == "name");
  CHECK(nearest("tenent", kKeys) == "tenant");
  CHECK(nearest("requird", kKeys) == "required");
  CHECK(nearest("ur", kKeys) == "url");
  CHECK(nearest("header", kKeys) == "headers");
}

TEST_CASE("another way to join words finds its key") {
  CHECK(nearest("outOfOrderWindow", kKeys) == "out_of_order_window");
  CHECK(nearest("out-of-order-window", kKeys) == "out_of_order_window");
}

TEST_CASE("a word that resembles none finds none") {
  CHECK(nearest("zebra", kKeys).empty());
  CHECK(nearest("", kKeys).empty());
  CHECK(nearest("authentication", kKeys).empty());  // what it begins with is not enough
  CHECK(nearest("zzzzem", kKeys).empty());          // nor two letters in the wrong order
  CHECK(nearest(std::string(100'000, 'n'), kKeys).empty());
}

}  // namespace
}  // namespace tideover::config
