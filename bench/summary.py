#!/usr/bin/env python3
"""Tables and verdicts from the results of bench/run.sh: bench/summary.py build/bench/20261120T120000Z

Reads STEM.json (one object per run) and STEM.txt (the machine); writes STEM.md (also to standard output) and
STEM.targets.json, one object per target. The exit code is 0 when every run counts and every target is met.
"""
import dataclasses
import json
import pathlib
import statistics
import sys


def look_up(run, path):
    """'acknowledged_ms/p99' of a run; None where it has none."""
    for name in path.split("/"):
        if isinstance(run, list):
            run = run[int(name)] if int(name) < len(run) else None
        elif isinstance(run, dict):
            run = run.get(name)
    return run


class Results:
    def __init__(self, runs):
        self.runs = runs

    def of(self, scenario, subject=None):
        return [r for r in self.runs if r["scenario"] == scenario and subject in (None, r["subject"])]

    def scenarios(self):
        return list(dict.fromkeys(r["scenario"] for r in self.runs))

    def subjects(self, scenario):
        return list(dict.fromkeys(r["subject"] for r in self.of(scenario)))

    def values(self, scenario, subject, path):
        found = (look_up(r, path) for r in self.of(scenario, subject) if r["valid"])
        return [value for value in found if value is not None]


@dataclasses.dataclass
class Target:
    what: str
    limit: float
    unit: str
    values: list  # one per run
    measured: float
    at_least: bool = False

    @property
    def met(self):
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def as_json(self):
        return {"target": self.what, "limit": self.limit, "at_least": self.at_least, "unit": self.unit,
                "measured": round(self.measured, 3), "min": min(self.values),
                "median": round(statistics.median(self.values), 3), "max": max(self.values), "pass": self.met}


# Peaks are judged by the worst run, everything else by the median one.
def targets(results):
    def median(what, limit, unit, scenario, path):
        values = results.values(scenario, "tideover", path)
        if values:
            yield Target(what, limit, unit, values, statistics.median(values))

    def worst(what, limit, unit, *sources):
        values = [value for scenario, path in sources for value in results.values(scenario, "tideover", path)]
        if values:
            yield Target(what, limit, unit, values, max(values))

    ours = results.values("rw1", "tideover", "samples_per_cpu_second")
    theirs = results.values("rw1", "prometheus", "samples_per_cpu_second")
    if ours and theirs:
        ratios = [round(value / statistics.median(theirs), 2) for value in ours]
        yield Target("samples per CPU-second over Prometheus Agent's, Remote Write 1.0, flat out", 11, "times", ratios,
                     statistics.median(ratios), at_least=True)
    yield from median("ack p99 at 100,000 samples/s, no limits", 25, "ms", "latency", "acknowledged_ms/p99")
    yield from median("ack p99 at 10,000 samples/s, 300m CPU and 160Mi", 100, "ms", "chart", "acknowledged_ms/p99")
    yield from worst("kills for memory inside 300m CPU and 160Mi", 0, "kills", ("chart", "cgroup/oom_kills"),
                     ("chart-outage", "cgroup/oom_kills"))
    yield from worst("VmHWM, steady", 64, "MiB", *((s, "rss_peak_mib") for s in ("rw1", "rw2", "latency", "chart")))
    yield from worst("VmHWM, outage and replay", 128, "MiB", ("chart-outage", "rss_peak_mib"),
                     ("outage", "rss_peak_mib"), ("backlog", "vm_hwm_mib_outage"), ("backlog", "vm_hwm_mib_replay"))
    yield from median("start with a large backlog: first 204", 2, "s", "backlog", "first_204_s")
    yield from median("start with a large backlog: first replayed request", 2, "s", "backlog", "first_replayed_s")
    for one, what in (("drain-1", "one busy file"), ("drain-50", "50 containers"), ("drain-2000", "2,000 files")):
        values = results.values(f"logs-{one}", "tideover", "mb_per_cpu_second")
        if values:
            yield Target(f"logs, file to durable spool, {what}", 100, "MB per CPU-second", values,
                         statistics.median(values), at_least=True)
    yield from median("logs, 2,000 files of a line a second each", 5, "% of a core", "logs-trickle-2000", "cpu_percent_of_core")
    yield from worst("logs, peak RSS of the spool alone", 64, "MiB", *((f"logs-{n}", "rss_peak_mib") for n in
                     ("drain-1", "drain-50", "drain-2000", "trickle-2000")))
    yield from median("CPU at rest", 0.2, "% of a core", "rest", "cpu_percent_of_core")
    yield from median("CPU at rest with an idle connection", 0.2, "% of a core", "rest-connected",
                      "cpu_percent_of_core")


# What a table of a scenario shows: name, path, factor, decimals. A row without figures is left out.
ROWS = [
    ("M samples per CPU-second", "samples_per_cpu_second", 1e-6, 3),
    ("M samples/s taken in", "accepted/samples_per_second", 1e-6, 3),
    ("ack p50, ms", "acknowledged_ms/p50", 1, 2),
    ("ack p99, ms", "acknowledged_ms/p99", 1, 2),
    ("ack p99.9, ms", "acknowledged_ms/p99.9", 1, 2),
    ("ack max, ms", "acknowledged_ms/max", 1, 1),
    ("CPU, % of a core", "cpu_percent_of_core", 1, 3),
    ("VmHWM, MiB", "rss_peak_mib", 1, 1),
    ("peak of the control group, MiB", "cgroup/memory_peak_mib", 1, 1),
    ("throttled periods", "cgroup/throttled_periods", 1, 0),
    ("written to disk, bytes per sample", "disk/written_bytes_per_sample", 1, 2),
    ("on disk after the load, MiB", "disk/stored_mib_after_load", 1, 1),
    ("cache flushes of the device (all processes)", "disk/device_flushes", 1, 0),
    ("fdatasync", "syncs/fdatasync", 1, 0),
    ("fsync", "syncs/fsync", 1, 0),
    ("wake-ups per second", "wake_ups_per_second", 1, 1),
    ("samples per forwarded request", "forwarded/samples_per_request", 1, 0),
    ("outage: backlog, M samples", "outages/0/backlog_samples", 1e-6, 2),
    ("outage: on disk, bytes per sample", "outages/0/stored_bytes_per_sample", 1, 2),
    ("outage: VmHWM until its end, MiB", "outages/0/rss_peak_mib", 1, 1),
    ("replay: first request after, s", "outages/0/first_answer_seconds", 1, 2),
    ("replay: all of it after, s", "outages/0/replay_seconds", 1, 2),
    ("replay: M samples/s", "outages/0/replayed_samples_per_second", 1e-6, 3),
]

BACKLOG_ROWS = [
    ("backlog, M samples", "backlog_samples", 1e-6, 1),
    ("backlog as received, GB", "backlog_bytes", 1e-9, 2),
    ("first 204 after the start, s", "first_204_s", 1, 2),
    ("first replayed request, s", "first_replayed_s", 1, 2),
    ("VmHWM while it grew, MiB", "vm_hwm_mib_outage", 1, 1),
    ("VmHWM while it drained, MiB", "vm_hwm_mib_replay", 1, 1),
    ("replay, s", "replay_s", 1, 1),
]

LIMITS_ROWS = [
    ("memcpy in the cache, GB/s", "memcpy_cached_gb_per_s", 1, 1),
    ("memcpy in memory, GB/s", "memcpy_memory_gb_per_s", 1, 1),
] + [
    (f"{verb} {kib} KiB and fdatasync, {name}", f"{verb}_{kib}_kib_fdatasync/{path}", 1, decimals)
    for kib in (4, 16, 128)
    for verb in ("append", "overwrite")
    for name, path, decimals in (("p50 ms", "p50_ms", 2), ("p99 ms", "p99_ms", 2), ("CPU us", "cpu_us", 0))
] + [
    (f"HTTP exchange, {connections} in flight, {name}", f"http_exchange_{connections}/{path}", 1, decimals)
    for connections in (1, 8)
    for name, path, decimals in (("1/s", "requests_per_s", 0), ("CPU us of the server", "server_cpu_us", 1),
                                 ("p99 ms", "p99_ms", 2))
]

LOGS_ROWS = [
    ("MB per CPU-second", "mb_per_cpu_second", 1, 0),
    ("CPU, % of a core", "cpu_percent_of_core", 1, 2),
    ("read, MB", "mb", 1, 0),
    ("on disk, of what was read", "stored_per_raw", 1, 3),
    ("peak RSS, MiB", "rss_peak_mib", 1, 0),
]

ROWS_OF = {"backlog": BACKLOG_ROWS, "limits": LIMITS_ROWS}


def text_of(value, factor, decimals):
    return f"{value * factor:,.{decimals}f}"


def cell(values, factor, decimals):
    if not values:
        return "-"
    figures = [min(values), statistics.median(values), max(values)]
    return " / ".join(text_of(figure, factor, decimals) for figure in (figures if len(values) > 1 else figures[:1]))


def ratio_cell(ours, theirs):
    if not ours or not theirs or statistics.median(theirs) == 0:
        return "-"
    return f"{statistics.median(ours) / statistics.median(theirs):.2f}"


def scenario_table(results, scenario):
    subjects = results.subjects(scenario)
    with_ratio = {"tideover", "prometheus"} <= set(subjects)
    header = [""] + subjects + (["ratio"] if with_ratio else [])
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    rows = LOGS_ROWS if scenario.startswith("logs-") else ROWS_OF.get(scenario, ROWS)
    for name, path, factor, decimals in rows:
        values = {subject: results.values(scenario, subject, path) for subject in subjects}
        if not any(any(figures) for figures in values.values()):
            continue  # nowhere, or nothing but zeros
        cells = [name] + [cell(values[subject], factor, decimals) for subject in subjects]
        if with_ratio:
            cells.append(ratio_cell(values["tideover"], values["prometheus"]))
        yield f"| {' | '.join(cells)} |"


def document(results, machine, judged):
    yield "## Targets"
    yield ""
    if judged:
        yield "| What | target | min / median / max | |"
        yield "|---|---|---|---|"
        for target in judged:
            bound = "at least" if target.at_least else "at most"
            yield (f"| {target.what} | {bound} {target.limit:g} {target.unit} | {cell(target.values, 1, 2)} | "
                   f"{'met' if target.met else '**missed**'} |")
    else:
        yield "No scenario with a target was run."
    for scenario in results.scenarios():
        yield ""
        yield f"## {scenario} (min / median / max of the runs; ratio: median over Prometheus Agent's)"
        yield ""
        yield from scenario_table(results, scenario)
        for run in results.of(scenario):
            for fault in run.get("faults", []):
                yield f"\n**A run of {run['subject']} does not count: {fault}**"
    yield ""
    yield "```"
    yield from machine.splitlines()
    yield "```"


def read_runs(path):
    runs = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    for run in runs:
        run.setdefault("valid", True)
    return runs


def main():
    stem = pathlib.Path(sys.argv[1])
    machine = stem.with_suffix(".txt")
    results = Results(read_runs(stem.with_suffix(".json")))
    judged = list(targets(results))
    text = "\n".join(document(results, machine.read_text() if machine.exists() else "", judged)) + "\n"
    stem.with_suffix(".md").write_text(text)
    stem.with_suffix(".targets.json").write_text("".join(json.dumps(t.as_json()) + "\n" for t in judged))
    print(text, end="")
    return 0 if all(t.met for t in judged) and all(run["valid"] for run in results.runs) else 1


if __name__ == "__main__":
    sys.exit(main())
