#include "tests/sim/coverage.h"

#include <algorithm>
#include <fmt/format.h>

#include "forwarders/remote_write/remote_write.h"

namespace tideover::sim {
namespace {

using forward::Action;
using forward::State;
using ingest::Answer;
using ingest::Protocol;

std::string_view name_of(Action action) {
  switch (action) {
    case Action::advance: return "advance";
    case Action::retry: return "retry";
    case Action::park: return "park";
    case Action::bisect: return "bisect";
    case Action::halve: return "halve";
    case Action::downgrade: return "downgrade";
    case Action::pause: return "pause";
  }
  return {};
}

std::string_view name_of(State state) {
  switch (state) {
    case State::up:
    case State::replaying:
    case State::down:
    case State::paused:
    case State::stopped: return forward::to_string(state);
  }
  return {};
}

std::string_view name_of(forward::Fate fate) {
  switch (fate) {
    case forward::Fate::delivered: return "delivered";
    case forward::Fate::rejected: return "rejected";
    case forward::Fate::parked: return "parked";
    case forward::Fate::quarantined: return "quarantined";
  }
  return {};
}

std::string_view name_of(wal::Reason reason) {
  return static_cast<std::size_t>(reason) < wal::kReasons ? wal::to_string(reason) : std::string_view();
}

std::string_view name_of(wal::Keep keep) {
  switch (keep) {
    case wal::Keep::required: return "required";
    case wal::Keep::best_effort: return "best effort";
  }
  return {};
}

std::string_view name_of(wal::StartAt start) {
  switch (start) {
    case wal::StartAt::now: return "from now";
    case wal::StartAt::oldest: return "from oldest";
  }
  return {};
}

std::string_view name_of(Answer answer) {
  switch (answer) {
    case Answer::stored: return "stored";
    case Answer::partly_stored: return "partly stored";
    case Answer::undecodable: return "undecodable";
    case Answer::too_large: return "too large";
    case Answer::unsupported: return "unsupported";
    case Answer::refused: return "refused";
  }
  return {};
}

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::rw1: return "1.0";
    case Protocol::rw2: return "2.0";
    case Protocol::unknown: return "unknown";
  }
  return {};
}

std::string_view name_of(remote_write::Version version) {
  switch (version) {
    case remote_write::Version::v1: return "1.0";
    case remote_write::Version::v2: return "2.0";
  }
  return {};
}

std::string_view name_of(Recovery recovery) {
  switch (recovery) {
    case Recovery::fresh: return "fresh";
    case Recovery::after_crash: return "after a crash";
    case Recovery::after_stop: return "after a stop";
    case Recovery::fault: return "a commit failed";
    case Recovery::reopened: return "the store came back";
    case Recovery::fault_at_start: return "the store did not open at once";
    case Recovery::damage_passed: return "damage was passed";
    case Recovery::drained_in_full: return "drained in full";
  }
  return {};
}

std::string_view name_of(Fault fault) { return to_string(fault); }

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::over_budget:
    case Errc::disk_floor:
    case Errc::disk_full:
    case Errc::io_error:
    case Errc::store_busy:
    case Errc::store_refused:
    case Errc::corrupt:
    case Errc::unavailable:
    case Errc::stopping:
    case Errc::bad_input:
    case Errc::too_large:
    case Errc::timeout:
    case Errc::connect_failed:
    case Errc::connection_lost:
    case Errc::not_found: return to_string(code);
  }
  return {};
}

constexpr std::string_view kVerdict = "verdict";
constexpr std::string_view kSideVerdict = "verdict, side lane";
constexpr std::string_view kDetail = "verdict detail";
constexpr std::string_view kState = "sender state";
constexpr std::string_view kFate = "fate";
constexpr std::string_view kReason = "reason";
constexpr std::string_view kKeep = "destination";
constexpr std::string_view kAdmission = "admission";
constexpr std::string_view kRefusal = "refusal";
constexpr std::string_view kTransport = "no answer";
constexpr std::string_view kSent = "sent as";
constexpr std::string_view kRecovery = "recovery";
constexpr std::string_view kFault = "fault";

constexpr std::string_view kFromParked = "delivered after parking";
constexpr std::string_view kFromQuarantine = "delivered after quarantine";

std::string pair_of(Protocol protocol, Answer answer) {
  return fmt::format("{} {}", name_of(protocol), name_of(answer));
}

// Errors that admission can answer with are those of Queue::refusal() and of a store that is in a fault.
std::string_view excuse_refusal(Errc code) {
  switch (code) {
    case Errc::over_budget:
    case Errc::disk_floor:
    case Errc::disk_full:
    case Errc::io_error:
    case Errc::unavailable:
    case Errc::stopping: return {};
    case Errc::store_busy:
    case Errc::store_refused: return "the process does not start; tests/contract and tests/crash";
    case Errc::corrupt: return "damage is counted, never a refusal";
    case Errc::bad_input:
    case Errc::too_large: return "answered 400 or 413, see admission";
    case Errc::timeout:
    case Errc::connect_failed:
    case Errc::connection_lost:
    case Errc::not_found: return "no error of the store";
  }
  return {};
}

std::string_view excuse_transport(Errc code) {
  switch (code) {
    case Errc::timeout:
    case Errc::connect_failed:
    case Errc::connection_lost:
    case Errc::bad_input:
    case Errc::too_large: return {};
    case Errc::stopping: return "ends the sender before anybody judges it";
    case Errc::over_budget:
    case Errc::disk_floor:
    case Errc::disk_full:
    case Errc::io_error:
    case Errc::store_busy:
    case Errc::store_refused:
    case Errc::corrupt:
    case Errc::unavailable:
    case Errc::not_found: return "no error of a transport";
  }
  return {};
}

std::string_view excuse_admission(Protocol protocol, Answer answer) {
  if ((protocol == Protocol::unknown) == (answer == Answer::unsupported)) return {};
  return "the protocol is unknown exactly when it is not supported";
}

std::string_view excuse_reason(wal::Reason reason) {
  if (reason == wal::Reason::out_of_bounds) return "such data is parked, never rejected";
  if (reason == wal::Reason::too_large) return "likewise";
  if (reason == wal::Reason::unsupported) return "a receiver that takes no version is waited for";
  if (reason == wal::Reason::operator_drop) return "goes with the cursor that counted it";
  return {};
}

struct Row {
  std::string group;
  std::string name;
  std::string_view excuse;
};

template <class Enum, class Excuse>
void list(std::vector<Row>& rows, std::string_view group, Excuse excuse) {
  for (int i = 0; !name_of(static_cast<Enum>(i)).empty(); ++i) {
    const auto value = static_cast<Enum>(i);
    rows.push_back({std::string(group), std::string(name_of(value)), excuse(value)});
  }
}

template <class Enum>
void list(std::vector<Row>& rows, std::string_view group) {
  list<Enum>(rows, group, [](Enum) { return std::string_view(); });
}

std::vector<Row> universe() {
  std::vector<Row> rows;
  list<Action>(rows, kVerdict);
  list<Action>(rows, kSideVerdict);
  for (const char* detail : {"rest stored", "probable duplicate", "under reported", "asked for patience",
                             "losses", "start timestamps stripped", "in doubt", "first of 2.0"})
    rows.push_back({std::string(kDetail), detail, {}});
  list<State>(rows, kState);
  list<forward::Fate>(rows, kFate);
  rows.push_back({std::string(kFate), std::string(kFromParked), {}});
  rows.push_back({std::string(kFate), std::string(kFromQuarantine), {}});
  list<wal::Reason>(rows, kReason, excuse_reason);
  list<wal::Keep>(rows, kKeep);
  list<wal::StartAt>(rows, kKeep);
  for (int p = 0; !name_of(static_cast<Protocol>(p)).empty(); ++p)
    for (int a = 0; !name_of(static_cast<Answer>(a)).empty(); ++a) {
      const auto protocol = static_cast<Protocol>(p);
      const auto answer = static_cast<Answer>(a);
      rows.push_back(
          {std::string(kAdmission), pair_of(protocol, answer), excuse_admission(protocol, answer)});
    }
  list<Errc>(rows, kRefusal, excuse_refusal);
  list<Errc>(rows, kTransport, excuse_transport);
  rows.push_back({std::string(kSent), std::string(name_of(remote_write::Version::v1)), {}});
  rows.push_back({std::string(kSent), std::string(name_of(remote_write::Version::v2)), {}});
  rows.push_back({std::string(kSent), "1.0 after a downgrade", {}});
  list<Recovery>(rows, kRecovery);
  list<Fault>(rows, kFault);
  return rows;
}

}  // namespace

void Coverage::add(std::string_view group, std::string_view name, std::uint64_t times) {
  if (times > 0) times_[{std::string(group), std::string(name)}] += times;
}

void Coverage::hit(forward::State state) { add(kState, name_of(state)); }
void Coverage::hit(wal::Keep keep) { add(kKeep, name_of(keep)); }
void Coverage::hit(wal::StartAt start) { add(kKeep, name_of(start)); }
void Coverage::hit_refusal(Errc code) { add(kRefusal, name_of(code)); }
void Coverage::hit_transport(Errc code) { add(kTransport, name_of(code)); }
void Coverage::hit_recovery(Recovery recovery) { add(kRecovery, name_of(recovery)); }

void Coverage::hit(const forward::Sent& sent, const forward::Verdict& verdict,
                   const forward::History& history, const thanos::Versions& versions) {
  const remote_write::Version version = thanos::version_of(sent);
  add(history.side ? kSideVerdict : kVerdict, name_of(verdict.action));
  add(kSent, name_of(version));
  add(kDetail, "rest stored", verdict.rest_stored ? 1 : 0);
  add(kDetail, "probable duplicate", verdict.probable_duplicate ? 1 : 0);
  add(kDetail, "under reported", verdict.beside.under_reported > 0 ? 1 : 0);
  add(kDetail, "asked for patience", verdict.retry_after ? 1 : 0);
  add(kDetail, "losses", verdict.losses.empty() ? 0 : 1);
  add(kDetail, "in doubt", history.in_doubt ? 1 : 0);
  add(kDetail, "first of 2.0", version == remote_write::Version::v2 && !versions.takes_v2 ? 1 : 0);
  if (versions.only_v1) add(kSent, "1.0 after a downgrade");
}

void Coverage::hit(const ingest::IntakeMetrics& metrics) {
  for (std::size_t p = 0; p < ingest::kProtocols; ++p)
    for (std::size_t a = 0; a < ingest::kAnswers; ++a)
      add(kAdmission, pair_of(static_cast<Protocol>(p), static_cast<Answer>(a)), metrics.requests[p][a]);
}

void Coverage::hit(const forward::SenderStatus& status) {
  if (status.main.ledger.delivered > 0) add(kFate, name_of(forward::Fate::delivered));
  if (status.parked.accepted.units > 0) add(kFate, name_of(forward::Fate::parked));
  if (status.quarantine.accepted.units > 0) add(kFate, name_of(forward::Fate::quarantined));
  if (status.parked.ledger.delivered > 0) add(kFate, kFromParked);
  if (status.quarantine.ledger.delivered > 0) add(kFate, kFromQuarantine);
  add(kDetail, "start timestamps stripped", status.main.ledger.stripped > 0 ? 1 : 0);
  for (const wal::CursorUsage* cursor : {&status.main, &status.parked, &status.quarantine}) {
    for (std::size_t i = 0; i < wal::kReasons; ++i) {
      const auto reason = static_cast<wal::Reason>(i);
      if (cursor->ledger.lost[i] == 0) continue;
      add(kReason, name_of(reason));
      if (wal::is_rejection(reason)) add(kFate, name_of(forward::Fate::rejected));
    }
  }
  const auto damaged = static_cast<std::size_t>(wal::Reason::damaged);
  if (status.main.ledger.lost[damaged] > 0) hit_recovery(Recovery::damage_passed);
}

void Coverage::hit(const FaultCounts& faults) {
  for (int i = 0; !name_of(static_cast<Fault>(i)).empty(); ++i)
    add(kFault, name_of(static_cast<Fault>(i)), faults.of(static_cast<Fault>(i)));
}

void Coverage::merge(const Coverage& other) {
  for (const auto& [key, times] : other.times_) times_[key] += times;
}

std::vector<Coverage::Item> Coverage::items() const {
  std::vector<Item> items;
  for (Row& row : universe()) {
    const auto found = times_.find({row.group, row.name});
    const std::uint64_t times = found == times_.end() ? 0 : found->second;
    items.push_back({std::move(row.group), std::move(row.name), times, row.excuse});
  }
  return items;
}

bool Coverage::complete() const {
  const std::vector<Item> all = items();
  return std::none_of(all.begin(), all.end(),
                      [](const Item& item) { return item.missing() || item.needless(); });
}

std::string Coverage::text() const {
  std::string text;
  for (const Item& item : items()) {
    const std::string_view remark = item.missing()    ? "  UNREACHED"
                                    : item.needless() ? "  REACHED, although excused"
                                                      : "";
    text += fmt::format("{:<20} {:<32} {:>10}{}{}{}\n", item.group, item.name, item.times, remark,
                        item.excuse.empty() ? "" : "  cannot be: ", item.excuse);
  }
  return text;
}

// Names are ours: nothing in them needs to be escaped.
std::string Coverage::json() const {
  std::string text = "[";
  for (const Item& item : items())
    text += fmt::format("{}\n  {{\"group\": \"{}\", \"item\": \"{}\", \"times\": {}, \"excuse\": \"{}\"}}",
                        text.size() == 1 ? "" : ",", item.group, item.name, item.times, item.excuse);
  return text + "\n]\n";
}

}  // namespace tideover::sim
