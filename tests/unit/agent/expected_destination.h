// What the pages should show of a destination, from an account that a test has kept of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/agent/rich_history.h"

namespace tideover::test {

using wal::Reason;

inline constexpr double kMoment = 0.5;  // seconds: what passes between two looks at the clock

struct Expected {
  std::string name = {};
  std::string state = {};
  std::string url = {};
  bool required = false;
  std::uint64_t accepted = 0, delivered = 0, parked = 0, quarantined = 0;
  std::map<Reason, std::uint64_t> lost = {};
  std::uint64_t probable_duplicates = 0, under_reported = 0, stripped = 0;
  std::vector<Post> waiting = {};
  std::int64_t since_ms = 0;
  const KeptBooks* books = nullptr;  // of what it was sent in this life; none: nothing

  std::uint64_t waiting_samples() const {
    std::uint64_t n = 0;
    for (const Post& post : waiting) n += post.samples.size();
    return n;
  }
  std::uint64_t waiting_bytes() const {
    std::uint64_t n = 0;
    for (const Post& post : waiting) n += post.record_bytes;
    return n;
  }
  std::uint64_t all_lost() const {
    std::uint64_t n = 0;
    for (const auto& [reason, samples] : lost) n += samples;
    return n;
  }
};

inline double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

inline void expect_on_page(Figures& f, const Expected& d, double now) {
  const std::string of = "{signal=\"metrics\",destination=\"" + d.name + "\"";
  const auto series = [&of](const std::string& name, const std::string& more = {}) {
    return "tideover_" + name + of + more + "}";
  };
  for (const std::string state : {"up", "replaying", "down", "paused", "stopped", "detached"})
    f.exception("a flag", series("destination_state", ",state=\"" + state + "\""), state == d.state ? 1 : 0);
  f.exception("a flag", series("destination_up"), d.state == "up" || d.state == "replaying" ? 1 : 0);
  f.is("records", series("destination_backlog_records"), d.waiting.size());
  f.is("samples", series("destination_backlog_samples"), d.waiting_samples());
  f.is("bytes", series("destination_backlog_bytes"), d.waiting_bytes());
  f.is("seconds", series("destination_lag_seconds"), now - seconds(d.waiting.front().until_ms), kMoment);
  f.is("samples", series("destination_parked_samples"), d.parked);
  f.is("samples", series("destination_quarantined_samples"), d.quarantined);
  f.is("samples", series("ledger_accepted_samples_total"), d.accepted);
  f.is("samples", series("ledger_delivered_samples_total"), d.delivered);
  for (const auto& [reason, n] : d.lost)
    f.is("samples",
         series(wal::is_rejection(reason) ? "ledger_rejected_samples_total" : "ledger_dropped_samples_total",
                ",reason=\"" + std::string(wal::to_string(reason)) + "\""),
         n);
  f.exception("anything else is a bug", series("ledger_imbalance_samples"), 0);
  if (d.books == nullptr) {
    constexpr auto kNobody = "nobody sends to it any more";
    f.exception(kNobody, series("destination_last_success_timestamp_seconds"), 0);
    for (const std::string code : {"2xx", "3xx", "4xx", "5xx", "network"})
      f.exception(kNobody, series("send_requests_total", ",code=\"" + code + "\""), 0);
    for (const char* name : {"send_samples_total", "send_bytes_total", "send_retries_total"})
      f.exception(kNobody, series(name), 0);
    return;
  }
  f.is("timestamp", series("destination_last_success_timestamp_seconds"), seconds(d.books->last_success_ms),
       kMoment);
  for (const std::string code : {"2xx", "3xx", "4xx", "5xx", "network"})
    f.is("requests", series("send_requests_total", ",code=\"" + code + "\""),
         static_cast<double>(d.books->answers.at(code)));
  f.is("samples", series("send_samples_total"), d.books->sent_samples);
  f.is("bytes", series("send_bytes_total"), d.books->sent_bytes);
  f.is("requests", series("send_retries_total"), d.books->repeated);
}

inline void expect_in_destinations(Figures& f, const Expected& d, double now, std::size_t index) {
  const auto member = [&index](const std::string& name) {
    return "destinations/" + std::to_string(index) + "/" + name;
  };
  f.says(member("signal"), "metrics");
  f.says(member("name"), d.name);
  f.says(member("url"), d.url);
  f.says(member("required"), d.required ? "true" : "false");
  f.says(member("state"), d.state);
  f.is("records", member("backlog_records"), d.waiting.size());
  f.is("samples", member("backlog_samples"), d.waiting_samples());
  f.is("bytes", member("backlog_bytes"), d.waiting_bytes());
  f.is("timestamp", member("oldest_timestamp"), seconds(d.waiting.front().until_ms), kMoment);
  f.is("seconds", member("lag_seconds"), now - seconds(d.waiting.front().until_ms), kMoment);
  f.is("samples", member("parked_samples"), d.parked);
  f.is("samples", member("quarantined_samples"), d.quarantined);
  f.exception("nothing moves: see progress_test.cc", member("replay_samples_per_second"), 0);
  f.says(member("eta_seconds"), "null");
  if (d.books == nullptr) {
    for (const char* name : {"since", "last_error", "last_success"}) f.says(member(name), "null");
    return;
  }
  f.is("timestamp", member("since"), seconds(d.since_ms), kMoment);
  f.is("timestamp", member("last_success"), seconds(d.books->last_success_ms), kMoment);
  f.holds(member("last_error"), d.state == "down" ? "HTTP 503: away" : "HTTP 302: away");
}

inline void expect_in_ledger(Figures& f, const Expected& d) {
  const auto member = [&d](const std::string& name) { return "metrics/" + d.name + "/" + name; };
  f.is("samples", member("accepted"), d.accepted);
  f.is("samples", member("delivered"), d.delivered);
  for (const auto& [reason, n] : d.lost)
    f.is("samples",
         member((wal::is_rejection(reason) ? "rejected/" : "dropped/") + std::string(wal::to_string(reason))),
         n);
  f.is("samples", member("queued"), d.waiting_samples() + d.parked + d.quarantined);
  f.is("samples", member("parked"), d.parked);
  f.is("samples", member("quarantined"), d.quarantined);
  f.says(member("in_balance"), "true");
  f.is("samples", member("probable_duplicates"), d.probable_duplicates);
  f.is("samples", member("under_reported"), d.under_reported);
  f.is("samples", member("unsupported_by_destination"), d.stripped);
}

}  // namespace tideover::test
