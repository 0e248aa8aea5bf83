// A destination and a receiver for the sender's tests: a record is a word, an item is a letter, and a unit
// too unless it is a dot: as metadata is no sample.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "forwarders/answers.h"
#include "forwarders/destination.h"
#include "forwarders/http/transport.h"
#include "wal/base/notifier.h"

namespace tideover::forward {

inline std::uint64_t units_in(std::string_view letters) {
  return letters.size() - static_cast<std::uint64_t>(std::count(letters.begin(), letters.end(), '.'));
}

inline wal::NewRecord word(std::string_view letters) {
  wal::NewRecord record;
  record.bytes = std::string(wal::kEnvelopeBytes, '\0') + std::string(letters);
  record.attributes.units = static_cast<std::uint32_t>(units_in(letters));
  record.attributes.encoding = 2;
  return record;
}

class WordLoad final : public Load {
 public:
  explicit WordLoad(std::vector<wal::StoredRecord> records) : records_(std::move(records)) {
    for (const auto& record : records_) text_ += record.payload();
  }
  std::uint64_t units() const override { return units_in(text_); }
  std::size_t items() override { return std::max<std::size_t>(1, text_.size()); }
  std::uint64_t units(Part part) override { return units_in(slice(part)); }
  Result<Outgoing> encode(Part part, std::uint32_t, const Memory& memory) override {
    const bool older = memory.has_value();
    Outgoing out;
    out.request.body = slice(part);
    out.sent.units = units_in(out.request.body);
    out.beside.stripped = older ? out.sent.units : 0;
    out.request.headers.add("Version", older ? "1" : "2");
    return out;
  }
  std::vector<wal::NewRecord> carve(Part part) override {
    std::vector<wal::NewRecord> carved;
    carved.push_back(word(slice(part)));
    return carved;
  }
  std::string describe(Part part) override { return slice(part).substr(0, 1); }

 private:
  std::string slice(Part part) const {
    return part.whole() ? text_ : text_.substr(part.first, part.last - part.first);
  }

  std::vector<wal::StoredRecord> records_;
  std::string text_;
};

// 400 names what is wrong: "window", "order", "bad ..."; other words nobody understands. Nothing of the
// request is stored then. What it remembers is that the receiver wants the older version.
class WordDestination final : public Destination {
 public:
  explicit WordDestination(bool parks = true) : parks_(parks) {}

  bool parks() const override { return parks_; }
  std::size_t plan(std::span<const wal::StoredRecord> records, const RequestLimits& limits) const override {
    std::uint64_t units = records.front().attributes.units;
    std::size_t n = 1;
    while (n < records.size() && units + records[n].attributes.units <= limits.units)
      units += records[n++].attributes.units;
    return n;
  }
  std::unique_ptr<Load> load(std::vector<wal::StoredRecord> records) const override {
    return std::make_unique<WordLoad>(std::move(records));
  }
  void learn(const Sent&, const Verdict& verdict, Memory& memory, Time) const override {
    if (verdict.action == Action::downgrade) memory = true;
  }
  Verdict classify(const Sent& sent, const Result<http::Response>& answer, const History& history,
                   const Memory&) const override {
    if (auto verdict = common_verdict(answer)) return *std::move(verdict);
    Verdict verdict;
    verdict.sentence = sentence_of(answer);
    verdict.action = Action::advance;
    if (answer->status == 415) verdict.action = Action::downgrade;
    if (answer->status == 409) verdict.losses.push_back({wal::Reason::duplicate, 1});
    if (answer->status == 202) verdict.beside.under_reported = sent.units;
    if (answer->status != 400) return verdict;
    const bool window = answer->body == "window";
    const bool order = answer->body == "order";
    const bool waits = window || (order && history.overtaken);
    const bool bad = answer->body.starts_with("bad");
    verdict.reason = window  ? wal::Reason::out_of_bounds
                     : order ? wal::Reason::out_of_order
                             : wal::Reason::bad_request;
    const bool keeps = waits || (history.side && !order && !bad);
    verdict.action = keeps && !history.divisible ? Action::park : Action::bisect;
    verdict.understood = order || bad;
    if (!order || waits || history.divisible || !history.in_doubt) return verdict;
    verdict.action = Action::advance;
    verdict.probable_duplicate = true;
    return verdict;
  }

 private:
  const bool parks_;
};

// Answers by a function, five milliseconds later.
class WordTransport final : public http::Transport {
 public:
  using Receiver = std::function<Result<http::Response>(const http::Request&)>;

  WordTransport(Clock& clock, Receiver receiver) : clock_(clock), receiver_(std::move(receiver)) {}

  awaitable<Result<http::Response>> send(http::Request request, Time deadline) override {
    ++requests;
    const Time answered = hangs ? deadline : clock_.now() + std::chrono::milliseconds(5);
    Notifier closed(clock_);
    const auto place = open_.insert(&closed).first;
    const bool interrupted = co_await closed.wait_until(answered);
    open_.erase(place);
    if (interrupted) co_return fail(Errc::stopping, "closed");
    if (hangs) co_return fail(Errc::timeout, "no answer");
    co_return receiver_(request);
  }
  void close() override {
    for (Notifier* closed : open_) closed->notify();
  }

  std::size_t requests = 0;
  bool hangs = false;

 private:
  Clock& clock_;
  Receiver receiver_;
  std::set<Notifier*> open_;  // one for each request under way
};

}  // namespace tideover::forward
