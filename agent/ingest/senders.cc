#include "agent/ingest/senders.h"

#include <algorithm>

#include "wal/base/utf8.h"

namespace tideover::ingest {
namespace {

constexpr std::size_t kSentenceBytesMax = 200;

std::string sentence_of(const http::Response& answer) {
  const std::string_view text = answer.body;
  const std::string_view line = text.substr(0, text.find('\n'));
  return std::to_string(answer.status) + " " + std::string(utf8_front(line, kSentenceBytesMax));
}

}  // namespace

Senders::Entry& Senders::entry(std::string_view address) {
  if (const auto found = entries_.find(address); found != entries_.end()) return found->second;
  std::uint64_t inherited = 0;
  if (entries_.size() == kKnownMax) {
    const auto least = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.weight < b.second.weight;
    });
    inherited = least->second.weight;
    entries_.erase(least);
    ++forgotten_;
  }
  Entry& made = entries_[std::string(address)];
  made.account.address = address;
  made.weight = inherited;
  return made;
}

void Senders::note(const Request& request, const http::Response& answer, std::int64_t now_ms) {
  Entry& of = entry(request.address);
  SenderAccount& account = of.account;
  ++account.requests;
  account.samples += request.samples;
  account.bytes += request.bytes;
  of.weight += request.bytes;
  account.last_request_ms = now_ms;
  for (std::size_t i = 0; i < kTenantHeaders.size(); ++i)
    if (request.headers.has(kTenantHeaders[i])) ++account.tenants[i];
  if (answer.status / 100 == 2) return;
  ++account.refused;
  account.last_error = sentence_of(answer);
  account.last_error_ms = now_ms;
}

SendersSnapshot Senders::largest() const {
  SendersSnapshot s;
  for (const auto& [address, entry] : entries_) s.largest.push_back(entry.account);
  std::ranges::stable_sort(s.largest, std::ranges::greater(), &SenderAccount::bytes);
  if (s.largest.size() > kShown) s.largest.resize(kShown);
  s.known = entries_.size();
  s.forgotten = forgotten_;
  return s;
}

}  // namespace tideover::ingest
