// The state of the agent at one moment, as plain values: what status, metrics and logs are made of.
//
// Taken on the io executor, so its figures belong together. The pages made of it are pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/ingest/loki/metrics.h"
#include "agent/ingest/metrics.h"
#include "agent/ingest/senders.h"
#include "agent/server/http_server.h"
#include "agent/tail/tally.h"
#include "agent/version.h"
#include "wal/ledger.h"
#include "wal/metrics.h"
#include "wal/record.h"

namespace tideover::admin {

// The disk and what all signals share of it.
struct StoreSnapshot {
  std::uint64_t disk_bytes = 0;        // files of the store
  std::uint64_t memory_bytes = 0;      // of the store's caches
  std::uint64_t unreadable_pages = 0;  // that the device refused to read
  std::uint64_t free_bytes = 0;        // of the file system
  std::uint64_t total_bytes = 0;
  std::uint64_t floor_bytes = 0;  // of which to be kept free
  wal::WalMetrics wal;
};

struct BufferSnapshot {
  wal::Totals held;                          // what the slowest destination still needs
  std::uint64_t max_bytes = 0;               // its budget
  std::int64_t oldest_ms = 0;                // arrival of the oldest of them; 0: nothing held
  std::int64_t newest_ms = 0;                // newest timestamp taken in since the start; 0: none yet
  std::optional<double> survivable_seconds;  // absent: nothing comes in, so no outage is too long
  std::string refusing;                      // why new data is refused now; empty: it is not
};

// Never negative: the wall clock may have been set back since.
inline double age_seconds(std::int64_t now_ms, std::int64_t then_ms) {
  return then_ms == 0 || now_ms < then_ms ? 0.0 : static_cast<double>(now_ms - then_ms) / 1000.0;
}

// The account of one destination over its lanes, in samples: accepted = delivered + rejected + dropped +
// queued, where queued includes what is parked and quarantined.
struct Account {
  std::uint64_t accepted = 0;
  wal::Ledger ledger;         // summed over the lanes; `diverted` is an inner move and no part of the sum
  std::uint64_t waiting = 0;  // in the main lane
  std::uint64_t parked = 0;
  std::uint64_t quarantined = 0;

  std::uint64_t queued() const { return waiting + parked + quarantined; }
  bool in_balance() const { return accepted == ledger.settled() - ledger.diverted + queued(); }
};

struct DestinationSnapshot {
  std::string name;
  std::string url;
  bool required = true;
  std::string state;  // up, replaying, down, paused, stopped; detached: no longer in the config
  std::int64_t since_ms = 0;
  std::string last_error;
  std::int64_t last_success_ms = 0;  // 0: never
  wal::Totals behind;
  std::int64_t oldest_ms = 0;     // arrival of its oldest unsettled record; 0: none
  double samples_per_second = 0;  // that its receiver answered, lately
  std::optional<double>
      eta_seconds;  // until its backlog has drained; absent: not known, or never at this pace
  Account account;
  std::map<std::string, std::uint64_t> requests;  // by class of answer: 2xx, 4xx, 5xx, network
  std::uint64_t sent_samples = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t retries = 0;
};

struct SignalSnapshot {
  std::string name;
  BufferSnapshot buffer;
  std::vector<DestinationSnapshot> destinations;
  std::optional<ingest::IntakeMetrics> remote_write;  // of a signal that speaks it
  std::optional<ingest::loki::PushMetrics> push;      // of one that speaks Loki's push API
  std::optional<tail::SpoolStatus> files;             // of one that reads files
  std::optional<server::ServerMetrics> server;        // of one that listens
  ingest::SendersSnapshot senders;                    // likewise
};

// Samples that are still to be delivered: each once, and those set aside once for each destination.
inline std::uint64_t undelivered(const SignalSnapshot& signal) {
  std::uint64_t samples = signal.buffer.held.units;
  for (const DestinationSnapshot& d : signal.destinations)
    samples += d.account.parked + d.account.quarantined;
  return samples;
}

struct Snapshot {
  Version build;
  std::string cluster;  // as the configuration names them
  std::string node;
  std::vector<std::string> listening;  // TCP, as the configuration says it
  std::int64_t now_ms = 0;
  std::int64_t started_ms = 0;
  bool last_reload_ok = true;
  std::string not_ready;                // why no record can be taken in and kept; empty: they can
  std::optional<StoreSnapshot> store;   // absent before the store is open, and so are the signals
  std::vector<SignalSnapshot> signals;  // in the order in which they start
};

}  // namespace tideover::admin
