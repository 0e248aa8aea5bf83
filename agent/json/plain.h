// JSON as people read it too: the library writes 1795906109.876 as 1.795906109876E9.
#pragma once

#include <string>

namespace boost::json {
class value;
}

namespace tideover {

// One line. Numbers have no exponent, unless they are beyond 2^53 or below a millionth.
std::string plain_json(const boost::json::value& value);

}  // namespace tideover
