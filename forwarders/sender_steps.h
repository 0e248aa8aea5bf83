// What SenderMachine and whoever performs its steps say to each other: a step, and the event that it ends in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "forwarders/destination.h"

namespace tideover::forward {

// Which of a destination's three cursors is served; see docs/DELIVERY.md.
enum class Role : std::uint8_t {
  main,        // everything, oldest first
  parked,      // refused for now, by the receiver's window or in words nobody knows: see rounds.h
  quarantine,  // answered 5xx again and again while others passed: one attempt now and then
};

enum class State : std::uint8_t {
  up,
  replaying,  // up again after an outage, the backlog not yet drained
  down,       // several attempts in a row failed
  paused,     // the receiver answers with a configuration fault
  stopped,
};

enum class Fate : std::uint8_t { delivered, rejected, parked, quarantined };

struct Step {
  enum class Kind : std::uint8_t {
    read,    // wait for records, read a batch             -> loaded or empty
    count,   // decode the batch: it must be cut           -> counted
    mark,    // durably: the batch may be overtaken        -> marked, or proceed when that cannot be
    send,    // `part`, or `ahead`: the batch after this   -> answered, or cut (ahead: or empty)
    settle,  // `part` has met `fate`, `verdict` says why  -> proceed
    ack,     // all items are settled                      -> proceed
    sleep,   // until `until`, or until poked              -> proceed
    stop,
  };
  Kind kind = Kind::stop;
  Part part;
  bool ahead = false;
  std::uint32_t retry = 0;    // send: earlier attempts of this part
  bool in_doubt = false;      // send: one of them may have been stored
  bool overtaken = false;     // send: newer items may have been sent before it
  bool begins_round = false;  // ack: what is in the lane by now has one turn each
  bool divisible = true;      // send: more than one item, so a refusal does not speak of all of it
  Fate fate = Fate::delivered;
  Verdict verdict;
  Time until{};

  static Step of(Kind kind) {
    Step step;
    step.kind = kind;
    return step;
  }
  static Step sleep(Time until) {
    Step step = of(Kind::sleep);
    step.until = until;
    return step;
  }
};

// How a send went.
struct Answer {
  Verdict verdict;
  bool in_doubt = false;    // the receiver may have seen the request, and stored it
  bool silent = false;      // no answer came: that accuses the network, never the data
  bool overloaded = false;  // a sign that it has too much to do
  Duration latency{};
  std::uint64_t bytes = 0;
  std::uint64_t units = 0;
};

// What was read.
struct Loaded {
  std::uint64_t units = 0;
  std::uint64_t raw_bytes = 0;
  bool found_at_start = false;  // an earlier life may have sent it
  bool repeated = false;        // this one has
  bool overtaken = false;       // some of it was marked, in this life or an earlier one
  bool remembered = false;      // all of it was
  bool beyond_round = false;    // parked: it came to the lane after the round had begun
};

struct Event {
  enum class Kind : std::uint8_t { proceed, empty, loaded, counted, marked, cut, answered, stop };
  Kind kind = Kind::proceed;
  Loaded batch{};                      // loaded
  std::size_t items = 0;               // counted
  std::vector<std::size_t> borders{};  // cut: as Load::borders() says
  Answer answer{};                     // answered

  static Event proceed() { return {}; }
  static Event empty() { return of(Kind::empty); }
  static Event loaded(const Loaded& batch) { return {Kind::loaded, batch, 0, {}, {}}; }
  static Event counted(std::size_t items) { return {Kind::counted, {}, items, {}, {}}; }
  static Event cut(std::vector<std::size_t> borders) { return {Kind::cut, {}, 0, std::move(borders), {}}; }
  static Event marked() { return of(Kind::marked); }
  static Event answered(Answer answer) { return {Kind::answered, {}, 0, {}, std::move(answer)}; }
  static Event stop() { return of(Kind::stop); }
  static Event of(Kind kind) { return {kind, {}, 0, {}, {}}; }
};

}  // namespace tideover::forward
