"""Sender against receiver, sample by sample: dumps of their TSDBs and the verdict of tideover-compare."""

import json
import os
import subprocess

from .process import Failure


def dump(world, directory, name):
    """Every sample of a TSDB directory whose server is stopped (or will not write meanwhile). Returns the dump's path."""
    path = os.path.join(world.root, f"{name}.dump")
    with open(path, "wb") as out:
        done = subprocess.run(
            [world.peer("tsdbdump"), "-scratch", world.root, directory], stdout=out, stderr=subprocess.PIPE
        )
    if done.returncode != 0:
        raise Failure(f"tsdbdump {directory}: {done.stderr.decode().strip()}")
    return path


def compare(world, sender, receiver, from_ms=None, to_ms=None, allow_extra=False, ignore=()):
    """Returns tideover-compare's report; raises only when a side cannot be read."""
    argv = [world.binary("tideover-compare"), "--json", "--sender", sender, "--receiver", receiver]
    argv += ["--from", str(from_ms)] if from_ms is not None else []
    argv += ["--to", str(to_ms)] if to_ms is not None else []
    argv += ["--allow-extra"] if allow_extra else []
    for name in ignore:
        argv += ["--ignore-label", name]
    done = subprocess.run(argv, capture_output=True)
    if done.returncode not in (0, 1):
        raise Failure(f"tideover-compare: {done.stderr.decode().strip()}")
    report = json.loads(done.stdout)
    report["same"] = done.returncode == 0
    return report


def describe(report):
    side = report["sender"]
    return (
        f"{side['series']} series, {side['samples']} samples ({side['stale_markers']} stale markers, "
        f"{side['histograms']} native histograms): missing {report['missing']}, altered {report['altered']}, "
        f"extra {report['extra']}"
    )


def require_same(world, sender, receiver, **options):
    report = compare(world, sender, receiver, **options)
    world.say(describe(report))
    if not report["same"]:
        raise Failure("the receiver does not hold what the sender holds:\n  " + "\n  ".join(line[:300] for line in report["examples"]))
    return report
