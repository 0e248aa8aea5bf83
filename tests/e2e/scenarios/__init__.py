"""One file per family of promises; each scenario is a function of (world, options)."""

from . import selfcheck

SCENARIOS = {"comparator": selfcheck.comparator}
