// "Did you mean": the known word nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tideover::config {

// Empty when nothing is near: more than a third of the letters would have to change.
std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace tideover::config
