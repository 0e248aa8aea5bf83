// What a sender does next: decides, never performs. No I/O, no clock of its own.
//
//   step = machine.resume(event, now);   perform the step, tell the machine how it went, and so on
//
// One batch is in flight. It is a stack of parts, sent in order; a part that is refused is cut and its halves
// take its place, as do the pieces of one that must not be sent whole, so that the order of the items holds.
// Every item of a batch is settled exactly once, by one of the four fates of sender_steps.h, before the batch
// is acknowledged.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "forwarders/bisection.h"
#include "forwarders/breaker.h"
#include "forwarders/destination.h"
#include "forwarders/pace.h"
#include "forwarders/rounds.h"
#include "forwarders/sender_steps.h"
#include "forwarders/working_size.h"

namespace tideover::forward {

struct MachineLimits {
  RequestLimits request;
  BreakerLimits breaker;
  PaceLimits pace;
  // A new certificate or path takes an operator minutes; the receiver's log need not see more than this.
  Duration pause_min = std::chrono::seconds(33);
  Duration pause_max = std::chrono::seconds(54);
  Duration parked_probe = std::chrono::seconds(60);
  RoundLimits parked_rounds;
  // After a refusal a side lane leaves the receiver alone for this long, and for four times what the request
  // took: what is refused uses a fifth of a slow line at most.
  Duration side_gap = std::chrono::seconds(1);
  Duration quarantine_probe = std::chrono::minutes(5);
  // After an outage every node waits a random part of this before it replays.
  Duration replay_delay_max = std::chrono::seconds(5);
  // Attempts without an answer, in a row, before a smaller request is tried.
  std::uint32_t silent_before_smaller = 2;
  // Batches of which nothing is taken, in a row and in words that are not understood, before the receiver
  // itself is thought to be at fault.
  std::uint32_t refused_before_pause = 3;
  // Failed attempts, each of which the receiver has seen, before the part itself is suspected.
  std::uint32_t suspect_after = 8;
  // Of the records found at a start, the first may have been sent by an earlier life whose acknowledgements
  // were not durable yet: as many batches as one WalLimits::ack_delay can hold.
  std::uint32_t doubtful_batches = 64;
  // Whether there is a lane for what is refused for now; without one it waits where it is.
  bool parks = true;
};

class SenderMachine {
 public:
  SenderMachine(Role role, const MachineLimits& limits, std::uint64_t seed);
  SenderMachine(const SenderMachine&) = delete;
  SenderMachine& operator=(const SenderMachine&) = delete;

  Step resume(const Event& event, Time now);

  void poke();                  // an operator asks for the next attempt at once
  void begin_replay(Time now);  // what is read is old: feed the receiver gently, as after an outage
  // Whether the quarantine lane has room. Without it nothing is quarantined: when one of several receivers
  // behind a router is gone, a share of everything fails for ever, and that is an outage, not poison.
  void allow_quarantine(bool allowed) { quarantine_allowed_ = allowed; }
  // Whether the parked lane has room. Without it a receiver that refuses everything is waited for.
  void allow_parking(bool allowed) { parking_allowed_ = allowed; }

  State state() const;
  RequestLimits request_limits() const;
  const Pace& pace() const { return pace_; }
  const Breaker& breaker() const { return breaker_; }

 private:
  // One part on its way. The top of the stack is the oldest.
  struct Slot {
    Part part;
    std::uint32_t attempts = 0;
    std::uint32_t silent = 0;         // the last ones, without an answer
    std::uint32_t seen = 0;           // failed attempts that reached the receiver
    std::uint64_t passes_before = 0;  // `passes_` when the first of those failed
    bool in_doubt = false;
    bool searched = false;    // a half of a refused part: its requests are on the search budget
    bool twin_clean = false;  // right half of a refused part whose left half has not failed so far
    bool known_bad = false;   // its left half passed, so the fault is in here: need not be sent whole
    bool last_try = false;    // the search is over: one attempt, no more cuts for a fault in the data
    std::shared_ptr<const Verdict>
        named;            // its verdict, when the receiver has named it: need not be sent again
    bool stored = false;  // when it has named others, and stored this

    bool judged() const { return stored || named != nullptr; }
  };
  // Refused before anything of its batch has passed: whether that is the fault of the item will be known
  // then.
  struct Aside {
    Slot slot;
    Verdict verdict;
    bool alone;  // a single item, in words that are not understood
  };
  enum class Cut : std::uint8_t {
    none,
    size,       // beyond the size that works
    too_large,  // the receiver said so: on the search budget, for it may say so of everything
    search,
    suspicion,
    named,  // at the borders of what the receiver names
  };
  // Why the queue is asked to remember that the batch may be overtaken.
  enum class Mark : std::uint8_t { none, to_park, to_put_aside, to_overtake };
  enum class Trial : std::uint8_t { none, sibling, ahead };

  // What comes next: sender_machine.cc.
  Step next(Time now);
  Step send_top();
  Step settle_top(Fate fate, Verdict verdict);
  Step batch_settled(Time now);
  void open_batch(const Loaded& loaded, Time now);
  void close_batch();
  std::size_t items_of(const Slot& slot) const;  // kEnd when not counted yet
  bool divisible(const Slot& slot) const { return items_of(slot) > 1; }
  std::uint32_t search_at_least(Time now) const;

  // How large a part may be, and how one is cut: sender_cuts.cc.
  Step cut(Cut why, Time now);
  Step cut_at(const std::vector<std::size_t>& borders, Time now);
  std::uint64_t size_of(const Slot& slot) const;
  std::uint64_t size_max() const;

  // What is set aside: sender_aside.cc.
  Step park_top(const Verdict& verdict, Time now);
  Step put_aside(const Verdict& verdict, bool alone, Time now);
  Step settle_aside(Time now);
  Step ask_for_aside(Time now);
  Step hold_batch(Time now);
  Step mark(Mark why);
  Step marked(Time now);
  Step not_marked(Time now);

  // What an answer does to the top: sender_answers.cc.
  Step answered(const Answer& answer, Time now);
  Step passed(const Answer& answer, Time now);
  Step refused(const Verdict& verdict, Time now);
  Step refused_by_window(const Verdict& verdict, Time now);
  Step refused_alone(const Verdict& verdict, Time now);
  Step too_large(const Answer& answer, Time now);
  Step other_version(const Verdict& verdict, Time now);
  Step keep_top(const Verdict& verdict, bool alone, Time now);
  void note_health(const Answer& answer, Time now);
  void note_refusal(const Answer& answer, Time now);
  void pause(Time now);
  void twin_failed();

  // What the receiver names in it: sender_named.cc.
  Step refused_by_name(const Verdict& verdict, Time now);
  Step refused_unnamed(const Verdict& verdict, Time now);
  void replace_top(const Slot& slot, const std::vector<Part>& named,
                   const std::shared_ptr<const Verdict>& why);
  Step settle_judged(Time now);
  bool stores_the_rest(const Verdict& verdict) const;

  // What a failure does to it: sender_failures.cc.
  Step failed(const Answer& answer, Time now);
  Step ask_again(const Verdict& verdict, Time now);
  Step unanswered(const Verdict& verdict, Time now);
  Step suspected(Time now);
  Step overtake();
  Step trial_answered(const Answer& answer, Time now);

  bool search_is_over(const Verdict& verdict) const;
  bool refuses_everything() const { return held_ || senseless_ + 1 >= limits_.refused_before_pause; }

  const Role role_;
  const MachineLimits limits_;
  Rng rng_;
  Breaker breaker_;
  Pace pace_;
  WorkingSize working_size_;
  Bisection search_;
  Rounds rounds_;
  bool close_look_ = false;  // parked: a part of the lane that is looked through to the last item

  std::vector<Slot> stack_;
  std::vector<Aside> aside_;  // older than all of the stack, oldest first
  bool batch_open_ = false;
  std::uint64_t batch_passed_ = 0;  // of it settled, and not set aside (again)
  std::uint64_t batch_parked_ = 0;  // set aside (again)
  bool held_ = false;               // all that is left of it waits for the receiver to take it after all
  bool others_pass_ = false;        // some of it did, where a fault is searched for, and no outage since
  bool batch_senseless_ = false;    // in words that are not understood, or for its size
  bool remembered_ = false;         // the queue knows that some of it may be overtaken
  bool overtaken_ = false;          // something newer than what is left of it was sent, or is about to be
  Mark marking_ = Mark::none;
  Verdict parking_;              // to_park, to_put_aside: of the top
  bool parking_alone_ = false;   // to_put_aside: likewise
  std::size_t items_ = 0;        // of the batch; 0 until counted
  std::uint64_t units_ = 0;      // of the batch
  std::uint64_t raw_bytes_ = 0;  // likewise
  Cut pending_cut_ = Cut::none;
  Verdict last_refusal_;
  Trial trial_ = Trial::none;
  std::uint32_t trials_ = 0;          // of this batch
  std::uint32_t suspicion_cuts_ = 0;  // of this batch
  std::uint64_t passes_ = 0;          // requests that passed, ever
  std::uint32_t refusals_ = 0;        // requests that were refused, in a row
  std::uint32_t senseless_ = 0;       // batches that were, whole, and nobody knows why; in a row

  Time not_before_{};           // no request earlier than this
  Duration pause_{};            // typical pause of this episode; zero when not paused
  bool idle_ = true;            // parked, quarantine: what comes was refused a moment ago, so it waits first
  bool recovering_ = false;     // an outage ended, and the backlog has not drained since
  bool next_in_doubt_ = false;  // a trial has sent the next batch already, in vain
  bool other_version_asked_ = false;
  bool quarantine_allowed_ = true;
  bool parking_allowed_ = true;
  bool stopped_ = false;
  std::uint32_t doubtful_left_;
};

}  // namespace tideover::forward
