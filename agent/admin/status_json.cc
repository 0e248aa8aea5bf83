#include "agent/admin/status_json.h"

#include <boost/json/object.hpp>

#include "agent/admin/rejects.h"
#include "agent/json/plain.h"
#include "agent/json/version.h"

namespace tideover::admin {
namespace {

namespace json = boost::json;

// Seconds since 1970, or null where there is no such moment.
json::value timestamp(std::int64_t ms) {
  if (ms == 0) return nullptr;
  return static_cast<double>(ms) / 1000.0;
}

json::object lost(const wal::Ledger& ledger, bool rejections) {
  json::object reasons;
  for (std::size_t i = 0; i < wal::kReasons; ++i) {
    const auto reason = static_cast<wal::Reason>(i);
    if (wal::is_rejection(reason) == rejections && ledger.lost[i] > 0)
      reasons[wal::to_string(reason)] = ledger.lost[i];
  }
  return reasons;
}

json::object account(const Account& a) {
  return {
      {"accepted", a.accepted},
      {"delivered", a.ledger.delivered},
      {"rejected", lost(a.ledger, true)},
      {"dropped", lost(a.ledger, false)},
      {"queued", a.queued()},
      {"parked", a.parked},
      {"quarantined", a.quarantined},
      {"in_balance", a.in_balance()},
      {"probable_duplicates", a.ledger.probable_duplicates},
      {"under_reported", a.ledger.under_reported},
      {"unsupported_by_destination", a.ledger.stripped},
  };
}

std::string text(json::object object) { return plain_json(object) + "\n"; }

}  // namespace

std::string buildinfo_json(const Snapshot& s) {
  json::array listening;
  for (const std::string& address : s.listening) listening.emplace_back(address);
  json::object build = json_of(s.build);
  build["cluster"] = s.cluster;
  build["node"] = s.node;
  build["listening"] = std::move(listening);
  return text(std::move(build));
}

std::string buffer_json(const Snapshot& s) {
  json::object signals;
  for (const SignalSnapshot& signal : s.signals) {
    const BufferSnapshot& b = signal.buffer;
    json::object entry{
        {"bytes", b.held.bytes},
        {"max_bytes", b.max_bytes},
        {"records", b.held.records},
        {"samples", b.held.units},
        {"bytes_per_sample", nullptr},
        {"oldest_timestamp", timestamp(b.oldest_ms)},
        {"newest_timestamp", timestamp(b.newest_ms)},
        {"survivable_seconds", nullptr},
        {"refusing", nullptr},
    };
    if (b.held.units > 0)
      entry["bytes_per_sample"] = static_cast<double>(b.held.bytes) / static_cast<double>(b.held.units);
    if (b.survivable_seconds) entry["survivable_seconds"] = *b.survivable_seconds;
    if (!b.refusing.empty()) entry["refusing"] = b.refusing;
    signals[signal.name] = std::move(entry);
  }
  json::value disk;
  if (s.store)
    disk = {{"store_bytes", s.store->disk_bytes},
            {"free_bytes", s.store->free_bytes},
            {"size_bytes", s.store->total_bytes},
            {"floor_bytes", s.store->floor_bytes},
            {"unreadable_pages", s.store->unreadable_pages}};
  json::value because;
  if (!s.not_ready.empty()) because = s.not_ready;
  return text({{"ready", s.not_ready.empty()},
               {"not_ready_because", std::move(because)},
               {"signals", std::move(signals)},
               {"disk", std::move(disk)}});
}

std::string destinations_json(const Snapshot& s) {
  json::array list;
  const auto add = [&](const SignalSnapshot& signal, const DestinationSnapshot& d) {
    json::object entry{
        {"signal", signal.name},
        {"name", d.name},
        {"url", d.url},
        {"required", d.required},
        {"state", d.state},
        {"since", timestamp(d.since_ms)},
        {"last_error", nullptr},
        {"last_success", timestamp(d.last_success_ms)},
        {"backlog_records", d.behind.records},
        {"backlog_samples", d.behind.units},
        {"backlog_bytes", d.behind.bytes},
        {"oldest_timestamp", timestamp(d.oldest_ms)},
        {"lag_seconds", age_seconds(s.now_ms, d.oldest_ms)},
        {"replay_samples_per_second", d.samples_per_second},
        {"eta_seconds", nullptr},
        {"parked_samples", d.account.parked},
        {"quarantined_samples", d.account.quarantined},
    };
    if (!d.last_error.empty()) entry["last_error"] = d.last_error;
    if (d.behind.units == 0)
      entry["eta_seconds"] = 0.0;
    else if (d.eta_seconds)
      entry["eta_seconds"] = *d.eta_seconds;
    list.push_back(std::move(entry));
  };
  for (const SignalSnapshot& signal : s.signals)
    for (const DestinationSnapshot& d : signal.destinations) add(signal, d);
  return text({{"destinations", std::move(list)}});
}

std::string ledger_json(const Snapshot& s) {
  json::object signals;
  for (const SignalSnapshot& signal : s.signals) {
    json::object& accounts = signals[signal.name].emplace_object();
    for (const DestinationSnapshot& d : signal.destinations) accounts[d.name] = account(d.account);
  }
  return text(std::move(signals));
}

std::string senders_json(const Snapshot& s) {
  json::array list;
  std::uint64_t known = 0, forgotten = 0;
  for (const SignalSnapshot& signal : s.signals) {
    known += signal.senders.known;
    forgotten += signal.senders.forgotten;
    for (const ingest::SenderAccount& sender : signal.senders.largest) {
      json::object tenants;
      for (std::size_t i = 0; i < sender.tenants.size(); ++i)
        if (sender.tenants[i] > 0) tenants[ingest::kTenantHeaders[i]] = sender.tenants[i];
      json::object entry{
          {"signal", signal.name},
          {"address", sender.address},
          {"requests", sender.requests},
          {"samples", sender.samples},
          {"bytes", sender.bytes},
          {"refused", sender.refused},
          {"last_error", nullptr},
          {"last_error_timestamp", timestamp(sender.last_error_ms)},
          {"last_request_timestamp", timestamp(sender.last_request_ms)},
          {"tenant_headers", std::move(tenants)},
      };
      if (!sender.last_error.empty()) entry["last_error"] = sender.last_error;
      list.push_back(std::move(entry));
    }
  }
  return text({{"senders", std::move(list)}, {"known", known}, {"forgotten", forgotten}});
}

std::string rejects_json(const RejectPage& page) {
  json::array list;
  for (const Reject& reject : page.rejects) {
    const forward::RejectNote& note = reject.note;
    list.push_back({{"number", reject.number.value},
                    {"refused_timestamp", timestamp(note.refused_ms)},
                    {"destination", note.destination},
                    {"reason", note.reason},
                    {"samples", note.units},
                    {"first", note.item},
                    {"sentence", note.sentence},
                    {"message_bytes", reject.message_bytes}});
  }
  json::object all{{"rejects", std::move(list)}, {"next", nullptr}};
  if (page.next) all["next"] = page.next->value;
  return text(std::move(all));
}

}  // namespace tideover::admin
