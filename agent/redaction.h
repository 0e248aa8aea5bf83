// Receivers, and proxies before them, repeat in their answers what they were asked for: the query of the URL
// with the key in it, a header's value. What stands for a secret in the configuration is taken out of their
// words before anybody sees them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"

namespace tideover {

class Redaction {
 public:
  explicit Redaction(const config::Destination& destination);

  std::string operator()(std::string words) const;

 private:
  std::vector<std::string> secrets_;  // the longest first
};

// Of the destination by that name; of one that is no more in the configuration nothing is known.
Redaction redaction_of(const config::Config& config, std::string_view signal, std::string_view destination);

}  // namespace tideover
