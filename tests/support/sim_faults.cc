#include "tests/support/sim_faults.h"

namespace tideover::sim {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::fails_before_storing: return "fails_before_storing";
    case Fault::fails_after_storing: return "fails_after_storing";
    case Fault::fails_partway: return "fails_partway";
    case Fault::chokes: return "chokes";
    case Fault::throttles: return "throttles";
    case Fault::asks_for_patience: return "asks_for_patience";
    case Fault::forbids: return "forbids";
    case Fault::not_ready: return "not_ready";
    case Fault::loses_head: return "loses_head";
    case Fault::head_advanced: return "head_advanced";
    case Fault::window_changes: return "window_changes";
    case Fault::limit_changes: return "limit_changes";
    case Fault::refuses_size: return "refuses_size";
    case Fault::refuses_every_size: return "refuses_every_size";
    case Fault::answers_nothing: return "answers_nothing";
    case Fault::never_admits: return "never_admits";
    case Fault::mumbles: return "mumbles";
    case Fault::refuses_series: return "refuses_series";
    case Fault::refuses_type: return "refuses_type";
    case Fault::speaks_only_one: return "speaks_only_one";
    case Fault::swallows_version2: return "swallows_version2";
    case Fault::partial_400: return "partial_400";
    case Fault::counts_missing: return "counts_missing";
    case Fault::counts_zero: return "counts_zero";
    case Fault::counts_low: return "counts_low";
    case Fault::counts_high: return "counts_high";
    case Fault::counts_garbled: return "counts_garbled";
    case Fault::link_refuses: return "link_refuses";
    case Fault::link_swallows: return "link_swallows";
    case Fault::link_resets: return "link_resets";
    case Fault::refused: return "refused";
    case Fault::reset_before: return "reset_before";
    case Fault::reset_after: return "reset_after";
    case Fault::reply_lost: return "reply_lost";
    case Fault::reply_late: return "reply_late";
    case Fault::reply_twice: return "reply_twice";
    case Fault::reply_truncated: return "reply_truncated";
    case Fault::reply_garbled: return "reply_garbled";
    case Fault::request_late: return "request_late";
    case Fault::request_twice: return "request_twice";
    case Fault::old_address_answers: return "old_address_answers";
    case Fault::line_narrow: return "line_narrow";
    case Fault::packet_lost: return "packet_lost";
    case Fault::commit_lost: return "commit_lost";
    case Fault::commit_in_doubt: return "commit_in_doubt";
    case Fault::disk_full: return "disk_full";
    case Fault::disk_floor: return "disk_floor";
    case Fault::open_fails: return "open_fails";
    case Fault::read_fails: return "read_fails";
    case Fault::record_damaged: return "record_damaged";
    case Fault::sector_fails: return "sector_fails";
    case Fault::sector_lost: return "sector_lost";
    case Fault::sector_lost_at_open: return "sector_lost_at_open";
    case Fault::space_given_back_late: return "space_given_back_late";
    case Fault::job_slow: return "job_slow";
    case Fault::job_stuck: return "job_stuck";
    case Fault::crash_any_time: return "crash_any_time";
    case Fault::crash_before_commit: return "crash_before_commit";
    case Fault::crash_before_divert: return "crash_before_divert";
    case Fault::crash_during_commit: return "crash_during_commit";
    case Fault::crash_after_commit: return "crash_after_commit";
    case Fault::crash_when_receiver_acted: return "crash_when_receiver_acted";
    case Fault::crash_when_answer_leaves: return "crash_when_answer_leaves";
    case Fault::crash_while_stopping: return "crash_while_stopping";
    case Fault::wall_clock_jumps: return "wall_clock_jumps";
    case Fault::source_restarts: return "source_restarts";
    case Fault::source_answer_lost: return "source_answer_lost";
    case Fault::restart: return "restart";
    case Fault::url_changed: return "url_changed";
    case Fault::destination_removed: return "destination_removed";
    case Fault::destination_returned: return "destination_returned";
    case Fault::destination_added: return "destination_added";
    case Fault::destination_added_from_oldest: return "destination_added_from_oldest";
    case Fault::budget_changed: return "budget_changed";
    case Fault::requirement_changed: return "requirement_changed";
    case Fault::cursor_dropped: return "cursor_dropped";
  }
  return {};
}

}  // namespace tideover::sim
