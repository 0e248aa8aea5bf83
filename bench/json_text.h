// JSON as text, with numbers as people write them: Boost.JSON prints 1234.5 as 1.2345E3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tideover::bench {

class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value);
  JsonObject& texts(std::string_view name, const std::vector<std::string>& values);
  JsonObject& flag(std::string_view name, bool value);
  JsonObject& count(std::string_view name, std::uint64_t value);
  JsonObject& number(std::string_view name, double value, int decimals);
  JsonObject& object(std::string_view name, const JsonObject& value);
  JsonObject& objects(std::string_view name, const std::vector<JsonObject>& values);
  JsonObject& nothing(std::string_view name);

  std::string str() const { return "{" + members_ + "}"; }

 private:
  JsonObject& put(std::string_view name, const std::string& value);
  std::string members_;
};

}  // namespace tideover::bench
