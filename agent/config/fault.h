// A fault of the configuration file, at its place, and how it reads on a terminal:
//   tideover.yaml:7:3: unknown key "lisen" in metrics: did you mean "listen"?
//       7 |   lisen: 127.0.0.1:7302
//         |   ^
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tideover::config {

// Both count from 1; line 0 means the file as a whole.
struct Place {
  int line = 0;
  int column = 0;
  bool operator==(const Place&) const = default;
};

struct Fault {
  Place place;
  std::string sentence;
};

// In the order of the file. `text` is the file's content, for the lines shown; a line that may hold a
// credential is not shown.
std::string render(std::vector<Fault> faults, std::string_view file_name, std::string_view text);

// A value as a sentence may show it: in quotes, cut to a readable length, control bytes escaped.
std::string in_quotes(std::string_view value);

}  // namespace tideover::config
