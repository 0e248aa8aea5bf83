// The misfortunes that a simulated world knows, counted where they happen and not where they are planned: a
// fault that no seed reaches is seen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tideover::sim {

enum class Fault : std::uint8_t {
  // the receiver
  fails_before_storing,  // 5xx, nothing stored
  fails_after_storing,   // 5xx, all stored
  fails_partway,         // 5xx, some stored
  chokes,                // 5xx, whenever a certain sample is in the request
  throttles,             // 429, 408, 425
  asks_for_patience,     // Retry-After
  forbids,               // 401, 403, 404, 405, a redirect
  not_ready,             // 503 while it starts
  loses_head,
  head_advanced,  // by somebody else's samples
  window_changes,
  limit_changes,       // what it answers 413 to
  refuses_size,        // 413
  refuses_every_size,  // 413, whatever comes
  answers_nothing,     // what is larger than a size is stored, and never answered
  never_admits,        // a sample that no window admits
  mumbles,             // 400, in words that nobody knows
  refuses_series,      // for a label that is too long
  refuses_type,        // 415 to 1.0
  speaks_only_one,     // 415 to 2.0
  swallows_version2,   // 200 to 2.0, nothing stored
  partial_400,         // 400, the valid rest stored
  counts_missing,      // Written headers of 2.0: none although it stored
  counts_zero,
  counts_low,
  counts_high,
  counts_garbled,
  // the network
  link_refuses,
  link_swallows,
  link_resets,
  refused,
  reset_before,         // the receiver has not seen the request
  reset_after,          // it has
  reply_lost,           // nobody ever answers
  reply_late,           // after others that were asked later, or after the deadline
  reply_twice,          // a second time, when nobody waits any more
  reply_truncated,      // the connection ends in its status line, headers or body
  reply_garbled,        // no HTTP
  request_late,         // arrives up to minutes later, perhaps when its sender has given up
  request_twice,        // a proxy repeats it; the answer may be that to the second copy
  old_address_answers,  // a receiver has moved, and what it left behind refuses everything
  line_narrow,          // the request takes the time that its bytes need
  packet_lost,          // and longer
  // the disk
  commit_lost,      // EIO, nothing written
  commit_in_doubt,  // EIO, and found written when the store is opened again
  disk_full,        // ENOSPC
  disk_floor,       // less space than is to be kept free
  open_fails,
  read_fails,
  record_damaged,
  sector_fails,           // a read, of records that are there again later
  sector_lost,            // a read, of records that the store passes over in the end
  sector_lost_at_open,    // an opening finds that acknowledged records cannot be read
  space_given_back_late,  // released records are found again by the next life
  job_slow,
  job_stuck,  // for minutes
  // a crash
  crash_any_time,
  crash_before_commit,
  crash_before_divert,  // of the next commit that sets something aside
  crash_during_commit,  // whether it is on the disk is chance
  crash_after_commit,
  crash_when_receiver_acted,
  crash_when_answer_leaves,
  crash_while_stopping,
  // around the agent
  wall_clock_jumps,
  source_restarts,
  source_answer_lost,
  // operators
  restart,
  url_changed,
  destination_removed,
  destination_returned,  // under its old name
  destination_added,     // from now on
  destination_added_from_oldest,
  budget_changed,
  requirement_changed,
  cursor_dropped,
};

// Empty behind the last: whoever walks the list meets every fault.
std::string_view to_string(Fault fault);

struct FaultCounts {
  std::array<std::uint64_t, 256> times{};

  void add(Fault fault) { ++times[static_cast<std::size_t>(fault)]; }
  std::uint64_t of(Fault fault) const { return times[static_cast<std::size_t>(fault)]; }
};

}  // namespace tideover::sim
