"""Containers that write numbered lines as a container runtime does, and a kubelet that rotates their files."""

import datetime
import gzip
import os
import random
import shutil
import threading
import time

FILES_MAX = 5  # containerLogMaxFiles


class Container(threading.Thread):
    """Kubelet renames the file and asks the runtime to open it anew; what is written until then goes to the renamed
    one. Of those that are rotated all but the newest are compressed, and the oldest are removed
    (pkg/kubelet/logs/container_log_manager.go)."""

    def __init__(self, pods, pod, name="app", lines_per_second=100, rotate_every=2.5, seed=0):
        super().__init__(daemon=True)
        self.pod, self.name = pod, name
        self.directory = os.path.join(pods, f"canary_{pod}_{pod}-uid", name)
        os.makedirs(self.directory)
        self._pace, self._rotate_every = lines_per_second, rotate_every
        self._chance = random.Random(seed)
        self._ending = threading.Event()
        self._file = None
        self._open()
        self.lines = []  # (stream, text), in order
        self.rotations = 0

    def run(self):
        rotate_at = time.monotonic() + self._chance.uniform(0.5, 1.5) * self._rotate_every
        while not self._ending.wait(0.05):
            for _ in range(max(1, self._pace // 20)):
                self._write()
            if time.monotonic() > rotate_at:
                self._rotate()
                rotate_at = time.monotonic() + self._chance.uniform(0.5, 1.5) * self._rotate_every

    def finish(self):
        self._ending.set()
        self.join(30)
        self._file.close()

    def remove(self):
        shutil.rmtree(os.path.dirname(self.directory))

    @property
    def path(self):
        return os.path.join(self.directory, "0.log")

    def _open(self):
        self._file = open(self.path, "ab", buffering=0)

    def _write(self):
        number = len(self.lines)
        stream = self._chance.choice(("stdout", "stderr"))
        text = f"{self.pod} {number} " + "x" * self._chance.randrange(120)
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.time_ns() % 10**9:09}Z"
        if self._chance.random() < 0.05:  # a line that the runtime has split
            cut = len(text) // 2
            self._file.write(f"{stamp} {stream} P {text[:cut]}\n".encode())
            self._file.write(f"{stamp} {stream} F {text[cut:]}\n".encode())
        else:
            self._file.write(f"{stamp} {stream} F {text}\n".encode())
        self.lines.append((stream, text))

    def _rotate(self):
        self.rotations += 1
        rotated = f"{self.path}.{datetime.datetime.now().strftime('%Y%m%d-%H%M%S')}"
        if os.path.exists(rotated):
            return
        for older in self._rotated():
            if not older.endswith(".gz"):
                with open(older, "rb") as plain, gzip.open(older + ".tmp", "wb") as packed:
                    shutil.copyfileobj(plain, packed)
                os.rename(older + ".tmp", older + ".gz")
                os.remove(older)
        for excess in self._rotated()[: -(FILES_MAX - 2)]:
            os.remove(excess)
        os.rename(self.path, rotated)
        for _ in range(self._chance.randrange(4)):
            self._write()
        self._file.close()
        self._open()

    def _rotated(self):
        names = (name for name in os.listdir(self.directory) if name.startswith("0.log.") and not name.endswith(".tmp"))
        return [os.path.join(self.directory, name) for name in sorted(names)]
