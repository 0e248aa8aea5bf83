// The test's own account of every sample: what was offered to the agent, what it acknowledged, what the
// receiver got. It reads none of the agent's counters.
//
// A sample is (connection, series, number): its series is the connection's own, its timestamp follows from
// the number of the request that carried it, and its value from all three, so that a foreign or altered one
// shows. A request carries one sample for each of the first `series` series of its connection.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tideover::crash {

inline constexpr std::uint32_t kSeriesMax = 640;  // of one connection

using SeriesSet = std::bitset<kSeriesMax>;

struct RequestId {
  std::uint32_t connection = 0;
  std::uint32_t number = 0;  // from 1, without a gap

  auto operator<=>(const RequestId&) const = default;
};

struct Findings {
  std::uint64_t acknowledged = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t unreadable = 0;    // missing as well, and they lay where the disk cannot be read any more
  std::uint64_t altered = 0;       // never offered: another series, timestamp or value
  std::uint64_t out_of_order = 0;  // came for the first time after a newer one of its series
  std::uint64_t duplicates = 0;
  std::uint64_t unexplained_duplicates = 0;  // of a sample whose delivery had been settled
  // By the life that acknowledged them: where to begin to look.
  std::map<std::uint32_t, std::uint64_t> lost_of_life;
  std::vector<std::string> examples;  // of the faults, the first few

  bool clean() const { return lost + altered + out_of_order + unexplained_duplicates == 0; }
};

class Account {
 public:
  explicit Account(std::uint32_t connections);

  void offered(RequestId id, std::uint32_t series);  // once for every attempt
  void acknowledged(RequestId id);

  // `genuine`: labels and value are those of the sample.
  void received(RequestId id, std::uint32_t series, bool genuine);
  void received_foreign(const std::string& what);
  // A 2xx for these samples of the request reached the agent. It may deliver a request in several; until the
  // last of them is answered, all of it may come again.
  void answered(RequestId id, const SeriesSet& series);

  // Three acknowledgements later on one connection the acknowledged delivery is durable: the reply was read
  // before the second of them, and its cursor rides with the third at the latest.
  void beat() { ++beats_; }
  void life_ended();

  // Its bytes lie on sectors that cannot be read any more.
  void may_be_lost(RequestId id);
  // So may the newest cursors: what was answered until now may come once more.
  void cursors_may_fall_back() { ++falls_; }

  std::uint64_t outstanding() const { return acknowledged_ - received_of_acknowledged_; }  // samples, about
  std::uint64_t acknowledged_samples() const { return acknowledged_; }
  Findings findings() const;

 private:
  struct Request {
    std::uint32_t series = 0;
    std::uint32_t offers = 0;
    bool acknowledged = false;
    std::uint32_t acknowledged_in = 0;  // life
    bool may_be_lost = false;
    SeriesSet answered;       // in one life, since cursors fell back
    std::uint32_t life = 0;   // that one
    std::uint64_t beats = 0;  // at that moment, as the falls
    std::uint32_t falls = 0;
    SeriesSet seen;
    std::string history;  // what happened to it, for the examples: life and beat of each event
  };

  Request* find(RequestId id);
  bool settled(const Request& request) const;
  void note(Request& request, const char* event) const;
  void example(std::string sentence);

  std::vector<std::vector<Request>> requests_;             // by connection and number
  std::vector<std::vector<std::uint32_t>> newest_number_;  // by connection and series
  std::vector<std::uint64_t> beats_at_end_;                // by life
  std::uint64_t beats_ = 0;
  std::uint32_t falls_ = 0;  // of cursors
  std::uint64_t acknowledged_ = 0;
  std::uint64_t received_of_acknowledged_ = 0;
  Findings findings_;
};

}  // namespace tideover::crash
