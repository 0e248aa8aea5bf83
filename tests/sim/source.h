// A Prometheus as the agent sees it: scrapes on time, one request in flight, in order, for ever.
//
// Source: storage/remote/queue_manager.go. A request that got 5xx or no answer is sent again, byte for byte;
// one that got 4xx is dropped (429 too, which is why the agent must never say it).
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "forwarders/http/message.h"
#include "tests/sim/oracle.h"
#include "tests/support/sim_clock.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/rng.h"

namespace tideover::sim {

struct SourceOptions {
  std::string name;
  remote_write::Version version = remote_write::Version::v1;
  std::uint32_t series = 3;
  Duration interval = std::chrono::seconds(20);
  Duration behind{};  // how old its samples are when they are scraped: a slow exporter, a clock that is wrong
  std::size_t scrapes_per_request_max = 20;
  bool unsorted = false;    // labels in the order of a Go map
  bool histograms = false;  // one more series, of native histograms
  bool unruly = false;      // one more series, which sometimes says two values at one time
  bool faulty = false;      // one more series, sometimes, which no receiver may take
  bool rich = false;        // exemplars, metadata, and start timestamps where the version has them
  std::size_t bulk = 0;     // one more series, of so many bytes of label
};

class Source {
 public:
  using Answer = std::function<void(std::optional<http::Response>)>;  // nothing: no answer
  using Wire = std::function<void(http::Request request, Answer answer)>;

  // All outlive the source.
  Source(SimClock& clock, Rng rng, Oracle& oracle, SourceOptions options, Wire wire);

  void start();
  void stop_scraping() { scraping_ = false; }  // what waits is still sent
  void restart();                              // forgets what it has not sent, as Prometheus does
  bool idle() const { return scrapes_.empty() && !current_; }

 private:
  struct Scrape {
    std::int64_t ts_ms;
    std::uint64_t number;
  };
  struct Request {
    std::string body;
    std::vector<Sample> samples;  // that the agent must keep
    test::Contents contents;
    bool faulty = false;
  };

  void scrape();
  void send_next();
  void transmit();
  void on_answer(const std::optional<http::Response>& response);
  void retry_after(Duration delay);
  Request build();
  void add_series(test::WriteRequest& message, const std::string& metric, const std::string& index) const;
  void add_riches(test::WriteRequest& message, const std::string& metric, const Scrape& scrape);
  std::int64_t start_of(const Scrape& scrape) const;
  double value_of(std::uint64_t number, std::uint32_t series);
  void check_written(const http::Response& response) const;

  SimClock& clock_;
  Rng rng_;
  Oracle& oracle_;
  const SourceOptions options_;
  Wire wire_;
  bool scraping_ = false;
  std::uint64_t scraped_ = 0;
  std::uint64_t life_ = 0;  // answers to an earlier life are not heard
  std::deque<Scrape> scrapes_;
  std::optional<Request> current_;
  Duration backoff_{};
};

}  // namespace tideover::sim
