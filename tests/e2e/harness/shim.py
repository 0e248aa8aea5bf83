"""The agent's wall clock and its syncs in the test's hand: tests/e2e/shim/shim.cc, preloaded."""

import os
import struct

CONTROLS = struct.Struct("<qq")  # wall clock offset in nanoseconds, whether syncs wait


class Shim:
    def __init__(self, world):
        self._path = world.file("shim", "")
        self._offset_s, self._hanging = 0, False
        self._write()
        self.env = {**os.environ, "LD_PRELOAD": world.library("tideover-shim"), "TIDEOVER_SHIM": self._path}

    def jump(self, seconds):
        """From where the clock would be, not from where it is."""
        self._offset_s = seconds
        self._write()

    def hang(self):
        """Every sync that begins from now on waits."""
        self._hanging = True
        self._write()

    def go_on(self):
        self._hanging = False
        self._write()

    def _write(self):
        with open(self._path, "r+b") as file:
            file.write(CONTROLS.pack(int(self._offset_s * 1e9), int(self._hanging)))
