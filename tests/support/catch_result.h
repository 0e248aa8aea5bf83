// Lets CHECK and REQUIRE print a Result: the error's sentence, or that there is a value.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "wal/base/result.h"

namespace Catch {

template <class T>
struct StringMaker<boost::system::result<T, tideover::Error>> {
  static std::string convert(const boost::system::result<T, tideover::Error>& result) {
    if (result.has_value()) return "a value";
    return std::string(tideover::to_string(result.error().code)) + ": " + result.error().detail;
  }
};

}  // namespace Catch
