// A receiver that keeps its own books: what it took, what it refused and why, what it answered, and what came
// over the wire. What becomes of a request follows from the timestamps in it, so that a test can say in one
// place what is to happen to which sample.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/receiver_answers.h"
#include "tests/unit/agent/signal_life.h"

namespace tideover::test {

using Sample = std::pair<std::string, std::int64_t>;  // of the series that it is of, and when

class KeptBooks {
 public:
  // What is done with a request that holds samples of these times: [from, to).
  struct Rule {
    std::int64_t from;
    std::int64_t to;
    std::function<Result<http::Response>(KeptBooks& books, const std::vector<Sample>& samples)> answer;
  };

  explicit KeptBooks(bool speaks_v2) : speaks_v2_(speaks_v2) {}

  void open(Mgmt& mgmt, const Clock& clock) {
    clock_ = &clock;
    mgmt.answers = [this](const http::Request& request) { return serve(request); };
    answers.clear();
    sent_bytes = sent_samples = repeated = 0;
    bodies_.clear();
  }

  // From now on, whatever is asked: these one after the other, the last of them for ever. 0: no answer.
  void be_away(std::vector<int> statuses) {
    away_ = std::move(statuses);
    away_since_ms.clear();
  }
  void be_back() { away_.clear(); }

  void take(const std::vector<Sample>& samples) { taken.insert(samples.begin(), samples.end()); }

  std::vector<Rule> rules;

  std::set<Sample> taken;
  std::map<wal::Reason, std::uint64_t> refused;
  std::vector<std::int64_t> away_since_ms;  // when each of the answers since be_away() was given
  std::int64_t last_success_ms = 0;

  // Of this life.
  std::map<std::string, std::uint64_t> answers;  // by class
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_samples = 0;  // in requests that were taken
  std::uint64_t repeated = 0;      // requests that repeated an earlier one

 private:
  Result<http::Response> serve(const http::Request& request) {
    const bool v2 = request.headers.find("Content-Type").find("v2") != std::string_view::npos;
    std::vector<Sample> samples;
    for (const Point& p : samples_of(snappy_plain(request.body), v2 ? Version::v2 : Version::v1))
      samples.emplace_back(p.labels.at("__name__"), p.timestamp_ms);
    sent_bytes += request.body.size();
    const bool comes_again = v2 && !speaks_v2_;  // in the older version, word for word another
    if (!bodies_.insert(request.body).second || comes_again) ++repeated;
    const Result<http::Response> answer = judge(v2, samples);
    ++answers[answer ? std::to_string(answer->status / 100) + "xx" : "network"];
    const bool understood = !v2 || speaks_v2_;
    if (answer && understood && (answer->status / 100 == 2 || answer->status == 409)) {
      const bool advances = answer->status != 409 || answer->body.find("too old") == std::string::npos;
      if (advances) last_success_ms = to_unix_ms(clock_->wall_now());
      if (advances) sent_samples += samples.size();
    }
    return answer;
  }

  Result<http::Response> judge(bool v2, const std::vector<Sample>& samples) {
    if (!away_.empty()) {
      const int status = away_[std::min(away_since_ms.size(), away_.size() - 1)];
      away_since_ms.push_back(to_unix_ms(clock_->wall_now()));
      if (status == 0) return fail(Errc::timeout, "no answer");
      return sim::plain(status, "away");
    }
    if (v2 && !speaks_v2_) return sim::plain(200, "");
    for (const Rule& rule : rules)
      for (const Sample& sample : samples)
        if (sample.second >= rule.from && sample.second < rule.to) return rule.answer(*this, samples);
    take(samples);
    return all_written(samples.size());
  }

 public:
  static http::Response all_written(std::size_t floats) {
    http::Response response{204, {}, {}};
    response.headers.add("X-Prometheus-Remote-Write-Samples-Written", std::to_string(floats));
    return response;
  }

 private:
  const bool speaks_v2_;
  const Clock* clock_ = nullptr;
  std::vector<int> away_;
  std::set<std::string> bodies_;
};

}  // namespace tideover::test
