// Figures as people read them. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace tideover::check {

std::string human_bytes(std::uint64_t bytes);  // 1.2 GiB
std::string human_count(std::uint64_t count);  // 12.3 M
std::string human_seconds(double seconds);     // 2h42m, 3m20s, 0.4s
std::string grouped(std::uint64_t count);      // 12,345,678

}  // namespace tideover::check
