"""A disk that others fill, below the free-space floor and up to the last byte: what the receiver takes flows on, and only
what it does not take is refused (docs/adr/0024)."""

import os
import random
import time

from harness import comparison, dumps
from harness.disk import SmallDisk
from harness.process import Failure, wait_for
from harness.rig import Rig
from harness.writer import Writer
from scenarios.limits import answers
from scenarios.outages import begin_outage

DISK_MIB = 640
MIB = 1 << 20
ALLOWANCE_MIB = 32  # what may wait below the floor
# Used by others, and how much waits at least before anything is refused.
LEVELS = ((0.79, 31), (0.81, 31), (0.95, 16), (1.0, 4))


def below_the_floor(world, options):
    disk = SmallDisk(world, DISK_MIB)
    rig = Rig(world, options, data=f"{disk.path}/buffer", keep_free="20%").up()
    rig.wait_delivering()
    bulk = Bulk(rig)
    for used, least in LEVELS:
        fill(disk, used)
        world.say(f"others use {100 * used:.0f} % of the disk: {disk.free_bytes() // MIB} MiB are free")
        require_flow(rig, used)
        restart(rig)
        require_flow(rig, used)
        end_outage = begin_outage(rig)
        taken = bulk.write_until_refused(rig)
        world.say(f"{taken} MiB were taken, then: {rig.agent.buffer()['refusing'][:100]}")
        if not least <= taken <= ALLOWANCE_MIB + 1:
            raise Failure(f"{taken} MiB were taken while the receiver was away, not {least} to {ALLOWANCE_MIB}")
        waiting = rig.agent.ledger()["queued"]
        restart(rig)
        if rig.agent.ledger()["queued"] < waiting:
            raise Failure(f"{waiting} samples waited, and after a restart {rig.agent.ledger()}")
        end_outage()
        rig.wait_delivering(60)
        rig.agent.wait_drained(60)
        require_flow(rig, used)
        make_room(rig, disk)
    rig.finish(seconds=90, allow_extra=True)
    received = os.path.join(world.root, "receiver.dump")  # as finish() left it
    comparison.require_same(world, bulk.dump(world), received, allow_extra=True)


def fill(disk, used):
    if used < 1:
        disk.take(used)
    else:
        disk.fill()


def make_room(rig, disk):
    """A start with room sets aside again what a full disk needs."""
    disk.release()
    restart(rig)
    rig.wait_delivering(30)


def restart(rig):
    rig.peak_rss_kib = max(rig.peak_rss_kib, rig.agent.peak_rss_kib())
    code = rig.agent.terminate(30)
    if code != 0:
        raise Failure(f"the agent exited with {code}; see {rig.agent.log_path}")
    rig.agent.up()


def require_flow(rig, used):
    """While the receiver takes it nothing is refused; on a full disk only while the store is opened again."""
    before = answers(rig, 503)
    rig.wait_delivering(30)
    time.sleep(1)
    rig.wait_delivering(30)
    refused = answers(rig, 503) - before
    if refused and used < 1:
        raise Failure(f"{refused:.0f} requests were refused while the receiver took everything: {rig.agent.buffer()}")


class Bulk:
    """Requests of a mebibyte that do not compress, as a crowd of senders would bring them."""

    def __init__(self, rig):
        self._writer = Writer(rig.agent.port)
        self._chance = random.Random(1)
        self._count = 0

    def write_until_refused(self, rig):
        for taken in range(4 * ALLOWANCE_MIB):
            status, answer = self._writer.post(self._mebibyte())
            if status == 503 and rig.agent.buffer()["refusing"]:
                return taken
            if status // 100 != 2:
                raise Failure(f"a write was answered {status}: {answer[:200]!r}")
        raise Failure("nothing was refused")

    def _mebibyte(self):
        now_ms = int(time.time() * 1000)
        bodies = []
        for _ in range(16):
            self._count += 1
            labels = {"__name__": "bulk", "noise": self._chance.randbytes(32_750).hex(), "number": str(self._count)}
            bodies.append(dumps.series(labels, [(now_ms, float(self._count))]))
        return bodies

    def dump(self, world):
        return self._writer.dump(world, "bulk")
