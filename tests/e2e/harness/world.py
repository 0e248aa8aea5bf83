"""Everything that one scenario owns: its directory, its processes, and the way they all end."""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time

from .process import Failure, on_path

SKIPPED = 77  # what ctest takes for "not run here"


class Skip(Exception):
    """Something that the scenario needs is not on this machine."""


class World:
    """Use as a context manager: however the scenario ends, nothing of it runs afterwards. A scenario that fails keeps
    its directory."""

    def __init__(self, name, binaries, peers):
        self.name = name
        self._binaries = binaries
        self._peers = peers
        self._ending = contextlib.ExitStack()
        self._started = time.monotonic()
        self.root = tempfile.mkdtemp(prefix=f"tideover-{name}-", dir=os.environ.get("TIDEOVER_E2E_DIR"))

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, kind, error, trace):
        self._ending.close()
        if kind is None or issubclass(kind, (Skip, KeyboardInterrupt)):
            shutil.rmtree(self.root, ignore_errors=True)
        else:
            self.say(f"logs and data are kept in {self.root}")

    def say(self, sentence):
        print(f"{self.stamp()} {sentence}", flush=True)

    def stamp(self):
        return f"[{time.monotonic() - self._started:6.1f} s]"

    def at_end(self, action, *arguments):
        self._ending.callback(action, *arguments)

    def own(self, process):
        """The process is killed when the scenario ends, whatever happens."""
        self.at_end(process.kill)
        return process

    def directory(self, name):
        path = os.path.join(self.root, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def file(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def log(self, name):
        return os.path.join(self.root, f"{name}.log")

    def binary(self, name):
        path = os.path.join(self._binaries, name)
        if not os.access(path, os.X_OK):
            raise Failure(f"{path} is not built")
        return path

    def library(self, name):
        path = os.path.join(self._binaries, name + ".so")
        if not os.access(path, os.R_OK):
            raise Failure(f"{path} is not built")
        return path

    def peer(self, name):
        path = os.path.join(self._peers, name)
        if not os.access(path, os.X_OK):
            raise Skip(f"{name} is not built: run tests/peers/build.sh (needs Go 1.26)")
        return path

    def debian(self, name):
        path = on_path(name)
        if path is None:
            raise Skip(f"{name} is not installed")
        return path


def run(scenario, world):
    """Runs scenario(world); returns the exit code. Every way to end but a clean return or Ctrl-C keeps the directory."""
    try:
        with world:
            scenario(world)
        return 0
    except Skip as reason:
        if os.environ.get("CI") == "true":
            print(f"FAILED: {reason}; with CI=true nothing may be skipped", flush=True)
            return 1
        print(f"SKIPPED: {reason}", flush=True)
        return SKIPPED
    except Failure as failure:
        print(f"FAILED: {failure}", flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
