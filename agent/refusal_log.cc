#include "agent/refusal_log.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "agent/log/log.h"

namespace tideover {
namespace {

constexpr Duration kOneLine = std::chrono::minutes(1);

// Lower case. What follows is a credential, up to the next blank, quote or separator.
constexpr std::array<std::string_view, 8> kSecretsFollow{
    "bearer ", "basic ", "token=", "password=", "api_key=", "apikey=", "secret=", "access_key="};

bool ends_secret(char c) { return std::string_view(" \t\"'&,;)}").find(c) != std::string_view::npos; }

bool says(std::string_view text, std::size_t at, std::string_view word) {
  if (text.size() - at < word.size()) return false;
  return std::equal(
      word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
      [](char a, char b) { return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b))); });
}

std::string without_secrets(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto word = std::find_if(kSecretsFollow.begin(), kSecretsFollow.end(),
                                   [&](std::string_view w) { return says(text, at, w); });
    if (word == kSecretsFollow.end()) {
      out += text[at++];
      continue;
    }
    out += text.substr(at, word->size());
    out += "***";
    at += word->size();
    while (at < text.size() && !ends_secret(text[at])) ++at;
  }
  return out;
}

// {__name__="up", job="x"}: the series is data. What is in braces and has no value in quotes is not.
std::string without_labels(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == text.npos) return out;
    const std::size_t close = std::min(text.find('}', open), text.size() - 1);
    const std::string_view inside = text.substr(open, close - open + 1);
    const bool labels = inside.find("=\"") != inside.npos || inside.find("=\\\"") != inside.npos;
    out += labels ? std::string_view("{...}") : inside;
    text.remove_prefix(close + 1);
  }
}

std::string_view sentence_of(forward::Fate fate) {
  switch (fate) {
    case forward::Fate::rejected: return "the receiver refused samples for good";
    case forward::Fate::parked: return "the receiver refuses samples for now: they are parked";
    case forward::Fate::quarantined: return "the receiver fails on samples: they are quarantined";
    case forward::Fate::delivered: break;
  }
  return "the receiver took samples";
}

}  // namespace

std::string for_log(std::string_view sentence) { return without_secrets(without_labels(sentence)); }

void RefusalLog::note(const forward::Refusal& refusal, Time now) {
  Pending& pending = pending_[static_cast<std::size_t>(refusal.fate)];
  const std::uint64_t before = pending.last.units;
  pending.last = refusal;
  pending.last.units += before;
  if (now >= pending.not_before) write(pending, now);
}

void RefusalLog::write_due(Time now) {
  for (Pending& pending : pending_)
    if (pending.last.units > 0 && now >= pending.not_before) write(pending, now);
}

void RefusalLog::write(Pending& pending, Time now) {
  const forward::Refusal& last = pending.last;
  log::event(log::Level::warn, sentence_of(last.fate),
             {{"signal", signal_},
              {"destination", destination_},
              {"samples", static_cast<std::int64_t>(last.units)},
              {"reason", wal::to_string(last.reason)},
              {"because", for_log(last.sentence)}});
  pending.last.units = 0;
  pending.not_before = now + kOneLine;
}

}  // namespace tideover
