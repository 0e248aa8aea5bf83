#pragma once

namespace tideover::disk {

// With which a process ends whose power was cut.
inline constexpr int kPowerCutStatus = 77;

}  // namespace tideover::disk
