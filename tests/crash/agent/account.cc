#include "tests/crash/agent/account.h"

#include <algorithm>
#include <fmt/format.h>

namespace tideover::crash {
namespace {

constexpr std::size_t kExamples = 12;
constexpr std::uint64_t kBeatsToSettle = 3;

}  // namespace

Account::Account(std::uint32_t connections)
    : requests_(connections), newest_number_(connections, std::vector<std::uint32_t>(kSeriesMax)) {}

Account::Request* Account::find(RequestId id) {
  if (id.connection >= requests_.size() || id.number == 0 || id.number > requests_[id.connection].size())
    return nullptr;
  return &requests_[id.connection][id.number - 1];
}

void Account::offered(RequestId id, std::uint32_t series) {
  auto& requests = requests_[id.connection];
  if (id.number > requests.size()) requests.emplace_back();
  Request& request = requests[id.number - 1];
  request.series = series;
  ++request.offers;
  note(request, "offered");
}

void Account::acknowledged(RequestId id) {
  Request& request = *find(id);
  request.acknowledged = true;
  request.acknowledged_in = static_cast<std::uint32_t>(beats_at_end_.size());
  note(request, "acknowledged");
  acknowledged_ += request.series;
  received_of_acknowledged_ += request.seen.count();
}

void Account::received(RequestId id, std::uint32_t series, bool genuine) {
  Request* const request = find(id);
  if (request == nullptr || series >= request->series || !genuine) {
    ++findings_.altered;
    example(fmt::format("connection {} request {} series {} was never offered so", id.connection, id.number,
                        series));
    return;
  }
  if (series == 0) note(*request, "received");
  if (request->seen[series]) {
    ++findings_.duplicates;
    if (request->offers == 1 && settled(*request)) {
      ++findings_.unexplained_duplicates;
      example(fmt::format(
          "connection {} request {} series {} came again in life {} after its delivery was settled:{}",
          id.connection, id.number, series, beats_at_end_.size(), request->history));
    }
    return;
  }
  request->seen[series] = true;
  ++findings_.received;
  if (request->acknowledged) ++received_of_acknowledged_;
  std::uint32_t& newest = newest_number_[id.connection][series];
  if (id.number < newest) {
    ++findings_.out_of_order;
    example(fmt::format("connection {} series {}: request {} came after request {}", id.connection, series,
                        id.number, newest));
  }
  newest = std::max(newest, id.number);
}

void Account::received_foreign(const std::string& what) {
  ++findings_.altered;
  example(what);
}

void Account::answered(RequestId id, const SeriesSet& series) {
  Request* const request = find(id);
  if (request == nullptr) return;
  if (request->life != beats_at_end_.size() || request->falls != falls_) request->answered.reset();
  request->answered |= series;
  note(*request, "answered");
  request->life = static_cast<std::uint32_t>(beats_at_end_.size());
  request->beats = beats_;
  request->falls = falls_;
}

void Account::life_ended() { beats_at_end_.push_back(beats_); }

void Account::may_be_lost(RequestId id) {
  Request* const request = find(id);
  if (request == nullptr) return;
  request->may_be_lost = true;
  note(*request, "unreadable");
}

bool Account::settled(const Request& request) const {
  if (request.answered.count() < request.series || request.falls != falls_) return false;
  const std::uint64_t reached = request.life < beats_at_end_.size() ? beats_at_end_[request.life] : beats_;
  return reached >= request.beats + kBeatsToSettle;
}

void Account::note(Request& request, const char* event) const {
  request.history += fmt::format(" {} {}/{}", event, beats_at_end_.size(), beats_);
}

void Account::example(std::string sentence) {
  if (findings_.examples.size() < kExamples) findings_.examples.push_back(std::move(sentence));
}

Findings Account::findings() const {
  Findings findings = findings_;
  findings.acknowledged = acknowledged_;
  for (std::uint32_t connection = 0; connection < requests_.size(); ++connection) {
    for (std::uint32_t i = 0; i < requests_[connection].size(); ++i) {
      const Request& request = requests_[connection][i];
      if (!request.acknowledged) continue;
      const std::uint64_t missing = request.series - request.seen.count();
      if (missing == 0) continue;
      if (request.may_be_lost) {
        findings.unreadable += missing;
        continue;
      }
      findings.lost += missing;
      findings.lost_of_life[request.acknowledged_in] += missing;
      if (findings.examples.size() < kExamples)
        findings.examples.push_back(fmt::format("connection {} request {}: {} of {} samples are missing:{}",
                                                connection, i + 1, missing, request.series, request.history));
    }
  }
  return findings;
}

}  // namespace tideover::crash
