#include "agent/redaction.h"

#include <algorithm>
#include <string_view>

namespace tideover {
namespace {

constexpr std::size_t kSecretBytesMin = 6;  // shorter ones are words of any sentence

}  // namespace

Redaction::Redaction(const config::Destination& destination) {
  const auto add = [this](std::string_view secret) {
    if (secret.size() >= kSecretBytesMin) secrets_.emplace_back(secret);
  };
  const std::string_view url = destination.url.text;
  if (const auto mark = url.find('?'); mark != url.npos) {
    std::string_view query = url.substr(mark + 1);
    add(query);
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(pair.size() + 1, query.size()));
      if (const auto equals = pair.find('='); equals != pair.npos) add(pair.substr(equals + 1));
    }
  }
  for (const auto& [name, value] : destination.headers) add(value);
  std::ranges::sort(secrets_, std::ranges::greater(), &std::string::size);
}

std::string Redaction::operator()(std::string words) const {
  constexpr std::string_view kInstead = "...";
  for (const std::string& secret : secrets_)
    for (auto at = words.find(secret); at != words.npos; at = words.find(secret, at + kInstead.size()))
      words.replace(at, secret.size(), kInstead);
  return words;
}

Redaction redaction_of(const config::Config& config, std::string_view signal, std::string_view destination) {
  for (const config::Named& named : config::destinations_of(config))
    if (named.signal == signal && named.destination->name == destination)
      return Redaction(*named.destination);
  return Redaction(config::Destination{});
}

}  // namespace tideover
