#!/usr/bin/env python3
"""Runs one end-to-end scenario against the real binary and real peers. Exit code 77: something it needs is not here."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import world as worlds  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--sender", choices=["rw1", "rw2"], default="rw1", help="version of remote write")
    parser.add_argument("--receiver", choices=["prometheus", "thanos"], default="thanos")
    parser.add_argument("--binaries", default="build/release", help="folder of tideover and tideover-compare")
    parser.add_argument("--peers", default=os.environ.get("PEERS_BIN", os.path.expanduser("~/.cache/tideover/peers")))
    options = parser.parse_args()
    world = worlds.World(options.scenario, os.path.abspath(options.binaries), os.path.abspath(options.peers))
    code = worlds.run(lambda w: SCENARIOS[options.scenario](w, options), world)
    if code == 0:
        print(f"promise kept: {options.scenario}, {options.sender} to {options.receiver}")
    return code


if __name__ == "__main__":
    sys.exit(main())
