#include "agent/admin/metrics_page.h"

#include <limits>
#include <string>
#include <utility>

#include "agent/admin/intake_page.h"
#include "agent/admin/page.h"

namespace tideover::admin {
namespace {

using Labels = MetricLabels;

void agent(Page& page, const Snapshot& s) {
  page.gauge("tideover_build_info", "Always 1; the labels say what runs.");
  page.value(1, {{"version", std::string(s.build.version)},
                 {"revision", std::string(s.build.revision)},
                 {"cluster", s.cluster},
                 {"node", s.node}});
  page.gauge("tideover_ready", "1 while records can be taken in and kept, as /-/ready says.",
             s.not_ready.empty());
  page.gauge("tideover_config_last_reload_successful", "1 unless the last reload found a faulty file.",
             s.last_reload_ok);
}

// A figure of each signal.
template <class Figure>
void each_signal(Page& page, const Snapshot& s, const char* name, const char* help, Figure figure) {
  page.gauge(name, help);
  for (const SignalSnapshot& signal : s.signals) page.value(figure(signal.buffer), {{"signal", signal.name}});
}

void buffers(Page& page, const Snapshot& s) {
  each_signal(page, s, "tideover_buffer_bytes",
              "Bytes that some destination still needs, each once, parked and quarantined ones not counted.",
              [](const BufferSnapshot& b) { return b.held.bytes; });
  each_signal(page, s, "tideover_buffer_limit_bytes", "The budget for them.",
              [](const BufferSnapshot& b) { return b.max_bytes; });
  each_signal(page, s, "tideover_buffer_records", "Records that some destination still needs, each once.",
              [](const BufferSnapshot& b) { return b.held.records; });
  each_signal(page, s, "tideover_buffer_samples", "Samples in them.",
              [](const BufferSnapshot& b) { return b.held.units; });
  each_signal(page, s, "tideover_buffer_oldest_record_timestamp_seconds",
              "Arrival of the oldest of them; 0 when there is none.",
              [](const BufferSnapshot& b) { return seconds(b.oldest_ms); });
  each_signal(page, s, "tideover_buffer_refusing", "1 while new data is refused with 503.",
              [](const BufferSnapshot& b) { return b.refusing.empty() ? 0 : 1; });
  each_signal(
      page, s, "tideover_buffer_survivable_seconds",
      "How long an outage would fit into what is free, at the present rate; 0 while new data is refused, "
      "+Inf when nothing comes in.",
      [](const BufferSnapshot& b) {
        return b.survivable_seconds.value_or(std::numeric_limits<double>::infinity());
      });
}

void store(Page& page, const StoreSnapshot& s) {
  page.gauge("tideover_buffer_disk_bytes", "Files of the store on disk.", s.disk_bytes);
  page.gauge("tideover_buffer_memory_bytes", "Memory of the store's caches and memtables.", s.memory_bytes);
  page.counter("tideover_buffer_unreadable_pages_total",
               "Places of 4 KiB that the device refused to read again and again.", s.unreadable_pages);
  page.gauge("tideover_disk_free_bytes", "Free bytes of the data directory's file system.", s.free_bytes);
  page.gauge("tideover_disk_size_bytes", "Size of that file system.", s.total_bytes);
  page.gauge("tideover_disk_floor_bytes", "Free bytes that no backlog uses.", s.floor_bytes);
  page.counter("tideover_buffer_appended_records_total", "Records made durable.", s.wal.appended_records);
  page.counter("tideover_buffer_appended_bytes_total", "Bytes made durable.", s.wal.appended_bytes);
  page.counter("tideover_buffer_commits_total", "Groups written and synced.", s.wal.commits);
  page.counter("tideover_buffer_commit_failures_total", "Groups that the disk did not take.",
               s.wal.commit_failures);
  page.counter("tideover_buffer_recoveries_total", "Times the store came back after such a failure.",
               s.wal.reopens);
  page.counter("tideover_buffer_damaged_records_total",
               "Records lost to damaged blocks: passed over by cursors, or of the last group.",
               s.wal.damaged_records);
  page.histogram("tideover_buffer_append_duration_seconds",
                 "From the append of a record, or of what a sender has to remember, to its being durable.",
                 s.wal.append_seconds);
  page.histogram("tideover_buffer_commit_duration_seconds", "One group: write and sync.",
                 s.wal.commit_seconds);
}

void destinations(Page& page, const Snapshot& s) {
  const auto each = [&](auto&& add) {
    for (const SignalSnapshot& signal : s.signals)
      for (const DestinationSnapshot& d : signal.destinations)
        add(d, Labels{{"signal", signal.name}, {"destination", d.name}});
  };
  const auto with = [](Labels labels, const char* name, std::string value) {
    labels.push_back({name, std::move(value)});
    return labels;
  };
  page.gauge("tideover_destination_state", "1 for the state a destination is in.");
  each([&](const auto& d, const Labels& l) {
    for (const char* state : {"up", "replaying", "down", "paused", "stopped", "detached"})
      page.value(d.state == state, with(l, "state", state));
  });
  page.gauge("tideover_destination_up", "1 while a destination takes what it is sent.");
  each([&](const auto& d, const Labels& l) { page.value(d.state == "up" || d.state == "replaying", l); });
  page.gauge("tideover_destination_last_success_timestamp_seconds", "When it last took a request; 0: never.");
  each([&](const auto& d, const Labels& l) { page.value(seconds(d.last_success_ms), l); });
  page.gauge("tideover_destination_backlog_records", "Records waiting for it.");
  each([&](const auto& d, const Labels& l) { page.value(d.behind.records, l); });
  page.gauge("tideover_destination_backlog_samples",
             "Samples waiting for it, parked and quarantined ones not counted.");
  each([&](const auto& d, const Labels& l) { page.value(d.behind.units, l); });
  page.gauge("tideover_destination_backlog_bytes", "Bytes waiting for it.");
  each([&](const auto& d, const Labels& l) { page.value(d.behind.bytes, l); });
  page.gauge(
      "tideover_destination_lag_seconds",
      "Age of the oldest record waiting for it, parked and quarantined ones not counted; 0 when none is.");
  each([&](const auto& d, const Labels& l) { page.value(age_seconds(s.now_ms, d.oldest_ms), l); });
  page.gauge("tideover_destination_parked_samples",
             "Samples its receiver refuses for now: outside its time window, or in words that nobody knows.");
  each([&](const auto& d, const Labels& l) { page.value(d.account.parked, l); });
  page.gauge("tideover_destination_quarantined_samples",
             "Samples it fails on again and again while others pass.");
  each([&](const auto& d, const Labels& l) { page.value(d.account.quarantined, l); });

  page.counter("tideover_send_requests_total", "Requests by class of answer.");
  each([&](const auto& d, const Labels& l) {
    for (const char* code : {"2xx", "3xx", "4xx", "5xx", "network"}) {
      const auto it = d.requests.find(code);
      page.value(it == d.requests.end() ? 0 : it->second, with(l, "code", code));
    }
  });
  page.counter("tideover_send_samples_total",
               "Samples in requests that it took, wholly or in part, repetitions included.");
  each([&](const auto& d, const Labels& l) { page.value(d.sent_samples, l); });
  page.counter("tideover_send_bytes_total", "Bytes of bodies sent, whatever the answer.");
  each([&](const auto& d, const Labels& l) { page.value(d.sent_bytes, l); });
  page.counter("tideover_send_retries_total", "Requests that repeated an earlier one.");
  each([&](const auto& d, const Labels& l) { page.value(d.retries, l); });

  page.counter("tideover_ledger_accepted_samples_total", "Samples taken in for a destination.");
  each([&](const auto& d, const Labels& l) { page.value(d.account.accepted, l); });
  page.counter("tideover_ledger_delivered_samples_total", "Samples it has taken.");
  each([&](const auto& d, const Labels& l) { page.value(d.account.ledger.delivered, l); });
  page.counter("tideover_ledger_rejected_samples_total", "Samples it has refused for good, by reason.");
  each([&](const auto& d, const Labels& l) {
    for (std::size_t i = 0; i < wal::kReasons; ++i)
      if (const auto reason = static_cast<wal::Reason>(i); wal::is_rejection(reason))
        page.value(d.account.ledger.lost[i], with(l, "reason", std::string(wal::to_string(reason))));
  });
  page.counter("tideover_ledger_dropped_samples_total", "Samples given up here, by reason.");
  each([&](const auto& d, const Labels& l) {
    for (std::size_t i = 0; i < wal::kReasons; ++i)
      if (const auto reason = static_cast<wal::Reason>(i); !wal::is_rejection(reason))
        page.value(d.account.ledger.lost[i], with(l, "reason", std::string(wal::to_string(reason))));
  });
  page.gauge("tideover_ledger_imbalance_samples",
             "Accepted less everything accounted for. Anything but 0 is a bug.");
  each([&](const auto& d, const Labels& l) {
    const Account& a = d.account;
    page.value(static_cast<double>(a.accepted) -
                   static_cast<double>(a.ledger.settled() - a.ledger.diverted + a.queued()),
               l);
  });
}

void process(Page& page, const Snapshot& s, const ProcessFigures& p) {
  page.counter("process_cpu_seconds_total", "User and system time of all threads.", p.cpu_seconds);
  page.gauge("process_resident_memory_bytes", "Resident memory.", p.resident_bytes);
  page.gauge("process_resident_memory_max_bytes", "The most it ever was.", p.resident_bytes_max);
  page.gauge("process_open_fds", "Open file descriptors.", p.open_fds);
  page.gauge("process_max_fds", "How many there may be.", p.max_fds);
  page.gauge("process_start_time_seconds", "When the process started.", seconds(s.started_ms));
}

}  // namespace

std::string metrics_page(const Snapshot& snapshot, const ProcessFigures& figures) {
  Page page;
  agent(page, snapshot);
  intakes(page, snapshot);
  buffers(page, snapshot);
  if (snapshot.store) store(page, *snapshot.store);
  destinations(page, snapshot);
  process(page, snapshot, figures);
  return page.text();
}

}  // namespace tideover::admin
