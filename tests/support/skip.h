// For a test that this machine cannot run: `if (cannot_run("why")) return;`. It counts as skipped, and fails
// where everything is to run (CI=true), so that nobody takes it for passed.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

namespace tideover::test {

// Always true. ctest finds the word in what the test prints (tests/CMakeLists.txt).
inline bool cannot_run(const std::string& why) {
  if (std::getenv("CI") != nullptr) FAIL("cannot run here: " << why);
  WARN("skipped: " << why);
  return true;
}

}  // namespace tideover::test
