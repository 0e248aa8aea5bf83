#!/usr/bin/env python3
"""Checks the source tree itself: what a reviewer should never have to say twice.

    tests/tidy/tidy.py --root . --config-reference build/dev/config_reference [--fix]

Each check is a generator of complaints "path:line: sentence". tidy_test.py feeds each of them a bad tree.
"""

import argparse
import functools
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys

LINES_MAX = 500
PRODUCTION = ("wal", "forwarders", "agent")
SOURCE = PRODUCTION + ("tests", "bench")

# Which folders the files of a folder may include; the longest matching prefix decides.
MAY_INCLUDE = {
    "wal/base": ("wal/base",),
    "wal": ("wal",),
    "forwarders": ("forwarders", "wal"),
    "agent": ("agent", "forwarders", "wal"),
    "tests": ("tests", "agent", "forwarders", "wal", "bench"),
    "bench": ("bench", "tests", "agent", "forwarders", "wal"),
}

# Folders of which only these may include anything: the queue does not know what stores its records.
SEEN_BY = {
    "wal/rocks": ("wal/rocks", "agent", "tests", "bench"),
}

# Vendor headers, and the files that own them: everything else speaks our types.
VENDORS = {
    r"rocksdb/": r"wal/rocks/\w+\.cc",
    r"xxhash": r"wal/(rocks/)?\w+\.cc|agent/tail/position\.cc",
    r"zlib\.h": r"agent/ingest/loki/inflate\.cc|agent/tail/gzip_file\.cc",
    r"boost/beast": r"forwarders/http/\w+\.cc|agent/server/\w+\.cc",
    r"boost/asio/ssl|openssl/": r"forwarders/http/\w+\.cc|agent/check/reach\.cc|agent/relabel/rule\.cc",
    r"boost/url": r"forwarders/http/url\.cc",
    r"boost/json": r"agent/admin/\w+\.cc|agent/cli/\w+\.cc|agent/ingest/loki/json_push\.cc|agent/json/\w+\.(?:cc|h)|forwarders/reject_record\.cc",
    r"snappy": r"forwarders/remote_write/snappy\.cc",
    r"google/protobuf": r"(?!)",  # generated code is for tests only
    r"re2/": r"agent/relabel/pattern\.cc",
    r"prometheus/": r"agent/admin/page\.h",
    r"yaml-cpp/": r"agent/config/yaml_tree\.cc|agent/promtail/positions\.cc",
    r"CLI/": r"agent/cli/command_line\.cc",
    r"zstd": r"wal/\w+\.cc|forwarders/\w+/\w+\.cc",
    r"catch2/": r"(?!)",
}

# Spelled apart, so that this file does not accuse itself.
BANNED = ("TO" + "DO", "FIX" + "ME", "XX" + "X")

KEYS_BEGIN = "<!-- keys: begin; written by tests/tidy/tidy.py --fix -->"
KEYS_END = "<!-- keys: end -->"


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def files(self, *suffixes, folders=SOURCE):
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in suffixes and path.is_file() and "data" not in path.relative_to(self.root).parts:
                    yield path.relative_to(self.root).as_posix()

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def has(self, path):
        return (self.root / path).is_file()

    def matches(self, path, pattern):
        """(line number, match) for each match of `pattern` in a line."""
        for number, line in enumerate(self.text(path).splitlines(), 1):
            for match in re.finditer(pattern, line):
                yield number, match


def folder_rule(path):
    parts = pathlib.PurePosixPath(path).parts
    for length in (2, 1):
        prefix = "/".join(parts[:length])
        if prefix in MAY_INCLUDE and len(parts) > length:
            return MAY_INCLUDE[prefix]
    return ()


def check_include_direction(tree):
    """Includes go agent -> forwarders -> wal, and production includes nothing of tests."""
    for path in tree.files(".h", ".cc"):
        allowed = folder_rule(path)
        for number, match in tree.matches(path, r'^\s*#\s*include\s+"([^"]+)"'):
            target = match[1]
            if target.endswith(".pb.h") and path.startswith("tests/"):
                continue
            if not any(target.startswith(folder + "/") for folder in allowed):
                yield f"{path}:{number}: may not include {target}: only {', '.join(allowed)}"
            for folder, seers in SEEN_BY.items():
                if target.startswith(folder + "/") and not path.startswith(tuple(seer + "/" for seer in seers)):
                    yield f"{path}:{number}: may not include {target}: it is for {', '.join(seers)}"


def check_vendor_headers(tree):
    """A vendor's headers stay in the .cc files that own them."""
    for path in tree.files(".h", ".cc", folders=PRODUCTION):
        for number, match in tree.matches(path, r'^\s*#\s*include\s+[<"]([^>"]+)[>"]'):
            for vendor, owners in VENDORS.items():
                if re.match(vendor, match[1]) and not re.fullmatch(owners, path):
                    yield f"{path}:{number}: {match[1]} belongs to other files: {owners}"


def check_config_documented(tree, reference, fix=False):
    """docs/CONFIG.md holds the table of keys as the parser has it, and names no key that does not exist."""
    path = "docs/CONFIG.md"
    if not tree.has(path):
        yield f"{path}:1: is missing"
        return
    text = tree.text(path)
    begin, end = text.find(KEYS_BEGIN), text.find(KEYS_END)
    if begin < 0 or end < begin:
        yield f"{path}:1: has no block between {KEYS_BEGIN!r} and {KEYS_END!r}"
        return
    begin += len(KEYS_BEGIN) + 1
    if text[begin:end] != reference:
        if fix:
            (tree.root / path).write_text(text[:begin] + reference + text[end:], encoding="utf-8")
            tree.text.cache_clear()
        else:
            line = text.count("\n", 0, begin) + 1
            yield f"{path}:{line}: the table of keys differs from agent/config/schema.cc: run tests/tidy/tidy.py --fix"
    known = set(re.findall(r"^\| `([^`]+)`", reference, re.MULTILINE))
    sections = {key.split(".")[0] for key in known if "." in key}
    for number, match in tree.matches(path, r"`([a-z_]+(?:\[\])?(?:\.[a-z_]+(?:\[\])?)+)`"):
        if match[1].split(".")[0] in sections and match[1] not in known:
            yield f"{path}:{number}: there is no key {match[1]}"


def check_metrics_documented(tree):
    """Every metric of the code stands in the table of docs/METRICS.md, and every one there exists."""
    path = "docs/METRICS.md"
    in_code = {}
    for source in tree.files(".cc", folders=PRODUCTION):
        for number, match in tree.matches(source, r'"(tideover_[a-z0-9_]+)"'):
            in_code.setdefault(match[1], f"{source}:{number}")
    if not tree.has(path):
        if in_code:
            yield f"{path}:1: is missing"
        return
    documented = {match[1]: number for number, match in tree.matches(path, r"^\| `(tideover_[a-z0-9_]+)`")}
    for name in sorted(in_code.keys() - documented.keys()):
        yield f"{in_code[name]}: {name} is not in {path}"
    for name in sorted(documented.keys() - in_code.keys()):
        yield f"{path}:{documented[name]}: the code has no metric {name}"


def check_file_length(tree):
    """Past 500 lines a second idea has moved in."""
    for path in tree.files(".h", ".cc", ".py", ".sh"):
        lines = tree.text(path).count("\n")
        if lines > LINES_MAX:
            yield f"{path}:{LINES_MAX + 1}: {lines} lines, more than {LINES_MAX}: which second idea moved in?"


def check_banned_words(tree):
    """Work that is not done is not in the tree."""
    pattern = r"\b(" + "|".join(BANNED) + r")\b"
    paths = list(tree.files(".h", ".cc", ".py", ".sh", ".txt", ".cmake", ".md", ".yaml", folders=SOURCE + ("docs", "scripts", "deploy", "cmake")))
    paths += [name for name in ("CMakeLists.txt", "README.md", "CHANGELOG.md") if tree.has(name)]
    for path in paths:
        for number, match in tree.matches(path, pattern):
            yield f"{path}:{number}: {match[1]}: do it, or write down elsewhere that it is to be done"


def check_changelog(tree):
    """CHANGELOG.md has the shape of keepachangelog.com, with the unreleased changes first."""
    path = "CHANGELOG.md"
    if not tree.has(path):
        yield f"{path}:1: is missing"
        return
    kinds = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
    releases = []
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        if number == 1 and line != "# Changelog":
            yield f"{path}:1: must begin with '# Changelog'"
        if line.startswith("## "):
            releases.append(line)
            if not re.fullmatch(r"## \[Unreleased\]|## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line):
                yield f"{path}:{number}: a release is '## [1.2.3] - 2026-01-31' or '## [Unreleased]'"
        elif line.startswith("### ") and line[4:] not in kinds:
            yield f"{path}:{number}: a kind of change is one of {', '.join(kinds)}"
    if not releases or releases[0] != "## [Unreleased]":
        yield f"{path}:1: the first release must be '## [Unreleased]'"


def check_sources_built(tree):
    """A source file that no CMakeLists.txt names is dead."""
    built = set()
    for folder in SOURCE:
        for listing in (tree.root / folder).rglob("CMakeLists.txt"):
            here = listing.parent.relative_to(tree.root).as_posix()
            words = re.findall(r"[\w./-]+\.cc\b", listing.read_text(encoding="utf-8"))
            built.update(posixpath.normpath(posixpath.join(here, word)) for word in words)
    for path in tree.files(".cc"):
        if path not in built:
            yield f"{path}:1: no CMakeLists.txt names it"


def check_format(tree, formatter):
    """Layout is clang-format's business alone."""
    paths = list(tree.files(".h", ".cc"))
    if not paths:
        return
    run = subprocess.run([formatter, "--dry-run", "-Werror", "--ferror-limit=1", *paths], cwd=tree.root,
                         stderr=subprocess.PIPE, text=True, check=False)
    for line in run.stderr.splitlines():
        match = re.match(r"(.+?):(\d+):\d+: error: ", line)
        if match:
            yield f"{match[1]}:{match[2]}: is not formatted: run {formatter} -i {match[1]}"
    if run.returncode != 0 and "error: " not in run.stderr:
        yield f".clang-format:1: {formatter} failed: {run.stderr.strip()[:200]}"


def complaints(root, reference, formatter, fix=False):
    tree = Tree(root)
    yield from check_include_direction(tree)
    yield from check_vendor_headers(tree)
    yield from check_config_documented(tree, reference, fix)
    yield from check_metrics_documented(tree)
    yield from check_file_length(tree)
    yield from check_banned_words(tree)
    yield from check_changelog(tree)
    yield from check_sources_built(tree)
    if formatter:
        yield from check_format(tree, formatter)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True)
    parser.add_argument("--config-reference", required=True, help="the program that prints the table of keys")
    parser.add_argument("--fix", action="store_true", help="write the table of keys into docs/CONFIG.md")
    options = parser.parse_args()
    reference = subprocess.run([options.config_reference], stdout=subprocess.PIPE, text=True, check=True).stdout
    formatter = shutil.which("clang-format-14")
    if not formatter:
        print("clang-format-14 is not installed: layout is not checked")
    found = list(complaints(options.root, reference, formatter, options.fix))
    for complaint in found:
        print(complaint)
    print(f"{len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
