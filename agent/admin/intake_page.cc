#include "agent/admin/intake_page.h"

#include <array>
#include <string>

namespace tideover::admin {
namespace {

void remote_write(Page& page, const ingest::IntakeMetrics& m) {
  page.counter("tideover_receive_requests_total", "Write requests by protocol and answer.");
  constexpr std::array<const char*, ingest::kProtocols> kProtocols = {"rw1", "rw2", "unknown"};
  constexpr std::array<const char*, ingest::kAnswers> kAnswers = {"stored",    "partly_stored", "undecodable",
                                                                  "too_large", "unsupported",   "refused"};
  for (std::size_t p = 0; p < kProtocols.size(); ++p)
    for (std::size_t a = 0; a < kAnswers.size(); ++a)
      page.value(m.requests[p][a],
                 {{"protocol", kProtocols[p]},
                  {"answer", kAnswers[a]},
                  {"code", std::to_string(ingest::status_of(static_cast<ingest::Answer>(a)))}});
  page.counter("tideover_receive_samples_total", "Entries stored and synced, by type.");
  page.value(m.floats, {{"type", "float"}});
  page.value(m.histograms, {{"type", "histogram"}});
  page.value(m.exemplars, {{"type", "exemplar"}});
  page.value(m.metadata, {{"type", "metadata"}});
  page.counter("tideover_receive_faulty_series_total", "Series refused with 400 while the rest was stored.",
               m.faulty_series);
  page.counter("tideover_receive_body_bytes_total",
               "Bytes of stored requests, compressed and without faulty series.", m.body_bytes);
  page.counter("tideover_receive_raw_bytes_total", "The same, decompressed.", m.raw_bytes);
  page.gauge("tideover_receive_highest_timestamp_seconds",
             "Newest sample timestamp stored; 0 before the first.", seconds(m.newest_ms));
}

void pushes(Page& page, const ingest::loki::PushMetrics& m) {
  page.counter("tideover_push_requests_total", "Pushes of lines by format and answer.");
  constexpr std::array<const char*, ingest::loki::kFormats> kFormats = {"protobuf", "json", "unknown"};
  constexpr std::array<const char*, ingest::loki::kPushAnswers> kAnswers = {
      "stored", "partly_stored", "undecodable", "no_streams", "too_large", "refused"};
  for (std::size_t f = 0; f < kFormats.size(); ++f)
    for (std::size_t a = 0; a < kAnswers.size(); ++a)
      page.value(
          m.requests[f][a],
          {{"format", kFormats[f]},
           {"answer", kAnswers[a]},
           {"code", std::to_string(ingest::loki::status_of(static_cast<ingest::loki::PushAnswer>(a)))}});
  page.counter("tideover_push_lines_total", "Lines stored and synced.", m.lines);
  page.counter("tideover_push_refused_lines_total",
               "Lines refused with 400 while the rest was stored, by reason.");
  for (std::size_t i = 0; i < ingest::loki::kWhys; ++i)
    page.value(m.refused_lines[i], {{"reason", std::string(to_string(static_cast<ingest::loki::Why>(i)))}});
  page.counter("tideover_push_body_bytes_total",
               "Bytes of requests of which something was stored, as they came.", m.body_bytes);
  page.counter("tideover_push_raw_bytes_total", "Bytes of the push requests that were stored, decompressed.",
               m.raw_bytes);
  page.counter("tideover_push_record_bytes_total", "The same as they were stored.", m.record_bytes);
  page.gauge("tideover_push_highest_timestamp_seconds", "Newest time of a line stored; 0 before the first.",
             seconds(m.newest_ms));
}

void files(Page& page, const tail::SpoolStatus& s) {
  const tail::Tally& t = s.total;
  page.counter("tideover_tail_lines_total", "Lines read from files, by what became of them.");
  page.value(t.spooled, {{"fate", "spooled"}});
  page.value(t.dropped, {{"fate", "dropped"}});
  page.counter("tideover_tail_bytes_total", "Bytes read from files, inflated.", t.bytes);
  page.counter("tideover_tail_cut_lines_total", "Lines whose end is missing since they were too long.",
               t.cut);
  page.counter("tideover_tail_foreign_lines_total", "Lines that are not in the runtime's format.", t.foreign);
  page.counter("tideover_tail_missed_bytes_total", "Bytes that were gone before they were read.",
               t.missed_bytes);
  page.counter("tideover_tail_gaps_total",
               "Times at which whole files may have come and gone while nobody looked.", t.perhaps_more);
  page.counter("tideover_tail_truncations_total", "Files that were truncated while they were read.",
               t.truncations);
  page.counter("tideover_tail_damaged_bytes_total", "Bytes of compressed files that cannot be inflated.",
               t.damaged_bytes);
  page.gauge("tideover_tail_containers", "Containers whose logs are read.", t.chains);
  page.gauge("tideover_tail_left_out_containers", "Containers beyond the number that is read.", s.left_out);
  page.gauge("tideover_tail_open_files", "Files of logs that are open.", t.open_files);
  page.gauge("tideover_tail_pinned_bytes", "Bytes on disk of removed files that are still read.",
             t.pinned_bytes);
  page.gauge("tideover_tail_lag_bytes", "Bytes on disk that are not read yet, as last seen.", t.lag_bytes);
}

// Of every signal that listens.
void listeners(Page& page, const Snapshot& s) {
  const auto each = [&](auto&& add) {
    for (const SignalSnapshot& signal : s.signals)
      if (signal.server) add(*signal.server, signal.name);
  };
  page.gauge("tideover_receive_connections", "Open connections of senders.");
  each([&](const auto& server, const std::string& signal) {
    page.value(server.connections_open, {{"signal", signal}});
  });
  page.gauge("tideover_receive_inflight_requests", "Requests being read or waiting for their sync.");
  each([&](const auto& server, const std::string& signal) {
    page.value(server.inflight_requests, {{"signal", signal}});
  });
  page.gauge("tideover_receive_inflight_bytes", "Memory that their bodies take.");
  each([&](const auto& server, const std::string& signal) {
    page.value(server.inflight_bytes, {{"signal", signal}});
  });
  page.counter("tideover_receive_rejected_requests_total",
               "Requests turned away by the HTTP server, by reason.");
  each([&](const auto& server, const std::string& signal) {
    for (std::size_t i = 0; i < server::kRefusals; ++i)
      page.value(server.refused.counts[i],
                 {{"signal", signal}, {"reason", std::string(server::kRefusalNames[i])}});
  });
}

}  // namespace

void intakes(Page& page, const Snapshot& snapshot) {
  // Of a kind of intake there is one at most.
  for (const SignalSnapshot& signal : snapshot.signals) {
    if (signal.remote_write) remote_write(page, *signal.remote_write);
    if (signal.push) pushes(page, *signal.push);
    if (signal.files) files(page, *signal.files);
  }
  listeners(page, snapshot);
}

}  // namespace tideover::admin
