// Compressed as gzip(1) and kubelet do it.
#pragma once

#include <string>
#include <string_view>

namespace tideover::tail {

std::string gzip(std::string_view text);

}  // namespace tideover::tail
