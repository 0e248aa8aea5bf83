// Seeds of loki_push and loki_json that are made by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tideover::fuzz {

using Seeds = std::vector<std::pair<std::string, std::string>>;  // name, bytes

Seeds loki_pushes();
Seeds loki_texts();

}  // namespace tideover::fuzz
