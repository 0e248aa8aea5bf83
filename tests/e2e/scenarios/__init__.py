"""One file per family of promises; each scenario is a function of (world, options)."""

from . import answers, hardships, hostile, lifecycle, limits, lines, outages, reloads, selfcheck

SCENARIOS = {
    "comparator": selfcheck.comparator,
    "steady": outages.steady,
    "killed": outages.receiver_restarts_and_agent_is_killed,
    "refused": outages.refused,
    "packets-dropped": outages.packets_dropped,
    "never-answers": outages.never_answers,
    "unresolved": outages.name_does_not_resolve,
    "parked": limits.old_samples_are_parked,
    "budget": limits.budget_is_full,
    "disk-full": limits.disk_is_full,
    "answers": answers.same_answers,
    "hostile": hostile.hostile_clients,
    "slow-bodies": hostile.slow_bodies,
    "stop": lifecycle.stops_in_an_outage,
    "stop-replaying": lifecycle.stops_while_replaying,
    "stop-disk-hangs": lifecycle.stops_with_a_hanging_disk,
    "stop-disk-frozen": lifecycle.stops_on_a_frozen_disk,
    "stop-crowd": lifecycle.stops_in_a_crowd,
    "reload": reloads.under_load,
    "reload-addresses": reloads.to_other_addresses,
    "reload-met": reloads.met_by_other_things,
    "clock": hardships.clock_jumps,
    "descriptors": hardships.descriptors_run_out,
    "few-descriptors": hardships.store_with_few_descriptors,
    "standstill": hardships.stands_still,
    "limits": hardships.within_the_charts_limits,
    "slow-lines": lines.slow_lines,
    "long": outages.long_outage,
}
