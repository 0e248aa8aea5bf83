"""A control group with the limits of a container: CPU time and memory, as kubelet sets them. Version 2, or 1."""

import os
import time

from .network import require_root
from .process import Failure
from .world import Skip

ROOT = "/sys/fs/cgroup"
PERIOD_US = 100_000


class Limits:
    """Gone at the end of the scenario, when its processes are."""

    def __init__(self, world, cpus, memory_bytes):
        require_root()
        self._v2 = os.path.exists(os.path.join(ROOT, "cgroup.controllers"))
        name = f"tideover-{os.getpid()}"
        try:
            if self._v2:
                self._write(ROOT, "cgroup.subtree_control", "+cpu +memory")
                self._cpu = self._memory = self._make(world, ROOT, name)
                self._write(self._cpu, "cpu.max", f"{int(cpus * PERIOD_US)} {PERIOD_US}")
                self._write(self._memory, "memory.max", memory_bytes)
            else:
                self._cpu = self._make(world, os.path.join(ROOT, "cpu"), name)
                self._memory = self._make(world, own_group("memory"), name)
                self._write(self._cpu, "cpu.cfs_period_us", PERIOD_US)
                self._write(self._cpu, "cpu.cfs_quota_us", int(cpus * PERIOD_US))
                self._write(self._memory, "memory.limit_in_bytes", memory_bytes)
        except OSError as error:
            raise Skip(f"control groups cannot be made here: {error}") from error

    @property
    def inside(self):
        """Prefix of a command that is to run within the limits."""
        groups = " ".join(sorted({self._cpu, self._memory}))
        return ["sh", "-c", f'for group in {groups}; do echo $$ > $group/cgroup.procs; done; exec "$@"', "sh"]

    def require_inside(self, pid):
        for group in (self._cpu, self._memory):
            if str(pid) not in self._read(group, "cgroup.procs").split():
                raise Failure(f"process {pid} is not in {group}")

    def peak_bytes(self):
        """Everything that counts: the processes' own memory, and the page cache of what they write."""
        return int(self._read(self._memory, "memory.peak" if self._v2 else "memory.max_usage_in_bytes"))

    def kills(self):
        events = self._table("memory.events" if self._v2 else "memory.oom_control", self._memory)
        return events.get("oom_kill", 0)

    def throttled_s(self):
        stat = self._table("cpu.stat", self._cpu)
        return stat["throttled_usec"] / 1e6 if self._v2 else stat["throttled_time"] / 1e9

    def _make(self, world, parent, name):
        path = os.path.join(parent, name)
        os.mkdir(path)
        world.at_end(remove, path)
        return path

    @staticmethod
    def _write(group, file, value):
        with open(os.path.join(group, file), "w") as out:
            out.write(str(value))

    @staticmethod
    def _read(group, file):
        with open(os.path.join(group, file)) as text:
            return text.read()

    def _table(self, file, group):
        lines = (line.split() for line in self._read(group, file).splitlines())
        return {name: int(value) for name, value in lines}


def own_group(controller):
    """Where this process is, of version 1: a child of it can be made even in a container."""
    with open("/proc/self/cgroup") as groups:
        for line in groups:
            _, controllers, path = line.strip().split(":", 2)
            if controller in controllers.split(","):
                return os.path.join(ROOT, controller, path.lstrip("/"))
    raise Skip(f"no control group of {controller}")


def remove(path):
    for _ in range(100):  # the kernel takes a moment to forget processes that have ended
        try:
            os.rmdir(path)
            return
        except OSError:
            time.sleep(0.05)
