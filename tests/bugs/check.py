#!/usr/bin/env python3
"""Proves that the tests can fail: each patch beside this file puts one small mistake into a copy of the tree, and the
tests that the patch names must notice it.

    tests/bugs/check.py                        all of them
    tests/bugs/check.py NAME...                these: names, or files of patches that are still being written
    tests/bugs/check.py --changed main         those that touch a file which differs from that commit
    tests/bugs/check.py --applies              no build: only whether every patch is well formed and still fits

A patch begins with three lines:

    Mistake: what was done wrong
    Promise: what a user or a caller is told instead, and where it says so
    Caught by: LABEL [-R REGEX]     as ctest takes them; `sim` alone: within 100 seeds of tideover-sim

Not being noticed is an error, as is not fitting (without fuzz), not compiling, and a choice of tests that is empty or fails
without the mistake. The copy and its build live in build/bugs; a second run compiles only what differs. --json FILE writes
what the table shows.
"""

import argparse
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "build" / "bugs"
TREE = WORK / "tree"
BUILD = TREE / "build" / "dev"
SEEDS = "100"
TARGETS = {"unit": "tests_unit", "contract": "tests_contract", "sim": "tests_sim", "crash": "tests_crash"}


class Bug:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.text = path.read_text(encoding="utf-8")
        self.files = sorted(set(re.findall(r"^\+\+\+ b/(\S+)", self.text, re.M)))
        self.says = dict(re.findall(r"^(Mistake|Promise|Caught by): (.+)$", self.text.split("\n--- ")[0], re.M))
        words = shlex.split(self.says.get("Caught by", ""))
        self.label = words[0] if words else ""
        self.filter = words[2] if len(words) == 3 and words[1] == "-R" else None
        self.faults = [f"has no line \"{key}: ...\"" for key in ("Mistake", "Promise", "Caught by") if key not in self.says]
        if words and (self.label not in TARGETS or (len(words) != 1 and self.filter is None)):
            self.faults.append(f"must be caught by {', '.join(TARGETS)}, perhaps with -R REGEX: {self.says['Caught by']!r}")
        if not self.files:
            self.faults.append("changes no file")

    def by_seeds(self):
        return self.label == "sim" and self.filter is None

    def patch(self, tree, *options):
        command = ["patch", f"--directory={tree}", "--strip=1", "--fuzz=0", "--forward", "--quiet", *options]
        return subprocess.run(command, input=self.text, text=True, capture_output=True)

    def fits(self, tree):
        return self.patch(tree, "--dry-run").returncode == 0


def run(*command, log=None, cwd=TREE):
    """Whether the command succeeded; what it said goes to the file."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, text=True, errors="replace", capture_output=True)
    if log:
        log.write_text(done.stdout + done.stderr)
    return done.returncode == 0


def copy_tree():
    """Copies what differs, and removes what is gone, so that only that is compiled again."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout.split("\0")
    files = {name for name in listed if name and (ROOT / name).is_file()}
    for name in files:
        source, target = ROOT / name, TREE / name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for path in TREE.rglob("*"):
        name = path.relative_to(TREE).as_posix()
        if not name.startswith("build/") and path.is_file() and name not in files:
            path.unlink()


def build(targets, log):
    return run("cmake", "--build", BUILD, "--target", *sorted(targets), log=log)


def tests_of(bug):
    """What ctest knows of the chosen tests."""
    words = ["ctest", "--test-dir", BUILD, "--show-only=json-v1", "-L", f"^{bug.label}$"]
    words += ["-R", bug.filter] if bug.filter else []
    shown = json.loads(subprocess.run([str(w) for w in words], text=True, capture_output=True, check=True).stdout)
    return [test for test in shown["tests"] if test.get("command")]


def targets_of(bug, chosen):
    """What has to be linked again: the programs of the chosen tests, or all of the label when they need others beside."""
    if bug.by_seeds():
        return {"tideover-sim"}
    if bug.label == "crash":
        return {TARGETS["crash"]}
    return {pathlib.Path(test["command"][0]).name for test in chosen}


def passes(bug, log):
    """Runs the tests that must notice; true when none does."""
    if bug.by_seeds():
        return run(BUILD / "tideover-sim", "--seeds", SEEDS, log=log)
    words = ["ctest", "--test-dir", BUILD, "--output-on-failure", "--stop-on-failure", "-j", os.cpu_count() or 1,
             "-L", f"^{bug.label}$"]
    return run(*words, *(["-R", bug.filter] if bug.filter else []), log=log)


def noticed_by(log):
    """The line of a log that says what failed."""
    text = log.read_text(errors="replace")
    failed = re.search(r"^\s+\d+ - (.+) \((?:Failed|Timeout|SEGFAULT|Subprocess|SIG|ILLEGAL|Exit)", text, re.M)
    if failed:
        return failed[1]
    seed = re.search(r"(?:aborted in )?seed \d+", text)
    broken = next((line for line in text.splitlines() if line and not re.match(r"seed|aborted|\d", line)), "")
    return f"{seed[0]}: {broken}" if seed else broken


def try_out(bug):
    """Puts the mistake in, builds, runs, takes it out. Returns (verdict, remark)."""
    log = WORK / f"{bug.name}.log"
    if bug.patch(TREE).returncode != 0:
        return "does not apply", "bring it up to date with the code"
    try:
        if not build(bug.targets, log):
            return "does not compile", f"see {log}"
        if passes(bug, log):
            return "MISSED", bug.says["Mistake"]
        return "caught", noticed_by(log)
    finally:
        copy_tree()


def prepare(bugs):
    """The tree as it is must build, and the chosen tests must pass there: then a failure is the mistake's."""
    TREE.mkdir(parents=True, exist_ok=True)
    copy_tree()
    os.environ.update(CCACHE_BASEDIR=str(TREE), CCACHE_NOHASHDIR="1")
    log = WORK / "clean.log"
    if not run("cmake", "--preset", "dev", log=log):
        return f"the tree is not configured: see {log}"
    wanted = {"tideover-sim" if bug.by_seeds() else TARGETS[bug.label] for bug in bugs}
    if not build(wanted, log):
        return f"the tree does not build: see {log}"
    tried = {}
    for bug in bugs:
        chosen = [] if bug.by_seeds() else tests_of(bug)
        if not chosen and not bug.by_seeds():
            return f"{bug.name}: no test is chosen by {bug.says['Caught by']!r}"
        bug.targets = targets_of(bug, chosen)
        choice = (bug.label, bug.filter)
        if choice not in tried:
            tried[choice] = passes(bug, log)
        if not tried[choice]:
            return f"{bug.name}: {bug.says['Caught by']!r} fails without any mistake: see {log}"
    return None


def select(options):
    every = sorted(HERE.glob("*.patch"))
    if options.names:
        paths = [pathlib.Path(n) if n.endswith(".patch") else HERE / f"{n}.patch" for n in options.names]
        absent = [str(path) for path in paths if not path.is_file()]
        if absent:
            sys.exit(f"no such patch: {', '.join(absent)}")
        return [Bug(path) for path in paths]
    bugs = [Bug(path) for path in every]
    if not options.changed:
        return bugs
    changed = set(subprocess.run(["git", "diff", "--name-only", options.changed], cwd=ROOT, text=True, capture_output=True,
                                 check=True).stdout.split("\n"))
    return [bug for bug in bugs if changed & {*bug.files, bug.path.relative_to(ROOT).as_posix()}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--changed", metavar="COMMIT")
    parser.add_argument("--applies", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()

    bugs = select(options)
    faulty = [(bug, fault) for bug in bugs for fault in bug.faults]
    faulty += [(bug, "does not apply: bring it up to date with the code") for bug in bugs if not bug.fits(ROOT)]
    for bug, fault in faulty:
        print(f"{bug.path.name}: {fault}")
    if faulty or options.applies:
        print(f"{len(bugs)} patches, {len({bug.name for bug, _ in faulty})} of them unusable")
        return 2 if faulty else 0
    if not bugs:
        print("no patch touches what has changed")
        return 0

    WORK.mkdir(parents=True, exist_ok=True)
    lock = open(WORK / "lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # another run would take our mistakes out of its tree, and find nothing wrong
    if trouble := prepare(bugs):
        print(trouble)
        return 2
    results = []
    for bug in bugs:
        started = time.monotonic()
        verdict, remark = try_out(bug)
        seconds = round(time.monotonic() - started, 1)
        print(f"{verdict:16} {seconds:6.1f} s  {bug.label:8} {bug.name}: {remark[:110]}", flush=True)
        results.append({"name": bug.name, "mistake": bug.says["Mistake"], "promise": bug.says["Promise"], "label": bug.label,
                        "filter": bug.filter, "files": bug.files, "verdict": verdict, "remark": remark, "seconds": seconds})
    caught = sum(result["verdict"] == "caught" for result in results)
    print(f"{caught} of {len(results)} caught")
    if options.json:
        options.json.write_text(json.dumps({"caught": caught, "bugs": results}, indent=1) + "\n")
    return 0 if caught == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
