// Which lines of a configuration may hold a credential, judged by their words alone: the file may be no YAML
// at all. Pure.
//
// Errors end up in terminals, logs and tickets. Credentials do not belong into the file, but whoever put one
// there by mistake, or has one in a header, shall not find it in a log as well. Rather a line too many.
#pragma once

#include <string_view>
#include <vector>

namespace tideover::config {

// One entry for each line of `text`, the first at index 0.
std::vector<bool> secret_lines(std::string_view text);

}  // namespace tideover::config
