"""One file per family of promises; each scenario is a function of (world, options)."""

from . import answers, hostile, lifecycle, limits, outages, selfcheck

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
    "stop": lifecycle.stops_in_an_outage,
    "long": outages.long_outage,
}
