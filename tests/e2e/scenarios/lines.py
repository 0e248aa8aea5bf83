"""Replays over slow lines, made by the kernel: what the line carries is used, and live data is not late behind it."""

import itertools
import os
import random
import time

from harness import dumps, network
from harness.process import Failure, Process, free_port, wait_for
from harness.servers import HERE
from harness.tideover import Tideover
from harness.writer import Writer

SHARE_MIN = 0.8  # of the line's rate, headers of all layers included
LIVE_LATE_MAX_S = 60
REPLAY_S, REPLAY_BYTES = 25, 800_000  # what the backlog is worth on the line, at least

RATES_KBIT = (128, 1_000, 20_000)


class Sink(Process):
    """In the island; the host reads what it writes down, so that asking costs the line nothing."""

    def __init__(self, world, island, name):
        self.port = free_port()
        self.record = world.file(f"{name}.record", "")
        argv = ["python3", "-B", os.path.join(HERE, "sink.py"), "--listen", f"{island.host}:{self.port}", "--record", self.record]
        super().__init__(name, argv, world.log(name), prefix=island.inside)
        self.url = f"http://{island.host}:{self.port}/api/v1/receive"

    def requests(self):
        """[(when it was complete, bytes of its body)]"""
        with open(self.record) as file:
            return [(float(when), int(size)) for when, size in map(str.split, file)]


def slow_lines(world, options):
    for kbit in RATES_KBIT:
        over_line(world, kbit)


def over_line(world, kbit):
    rate = kbit * 1000 / 8
    backlog = max(rate * REPLAY_S, REPLAY_BYTES)
    island = network.Island(world)
    island.slow_down(kbit)
    sink = world.own(Sink(world, island, f"sink-{kbit}"))
    agent = world.own(Tideover(world, sink.url, data=world.directory(f"buffer-{kbit}"), name=f"tideover-{kbit}"))
    feed = Feed(agent.port)
    sink.start()
    agent.up()

    # What is usual, before the outage: small requests.
    for _ in range(10):
        feed.write(2_000)
        agent.wait_drained(30)
    sink.terminate(10)
    while feed.written < backlog:
        feed.write(20_000 if rate < 1e6 else 200_000)
    world.say(f"{kbit} kbit/s: {feed.written / 1e6:.1f} MB wait")
    before = len(sink.requests())
    sink.start()
    wait_for("the replay to begin", lambda: len(sink.requests()) > before, 60)
    agent.wait_drained(30 + 2 * backlog / rate)
    replay = sink.requests()[before:]

    # The first answer ends the outage and is followed by a pause of up to five seconds, before the replay proper.
    seconds = replay[-1][0] - replay[1][0]
    share = sum(size for _, size in replay[2:]) / seconds / rate
    world.say(f"{kbit} kbit/s: {len(replay)} requests in {seconds:.1f} s, {100 * share:.0f} % of the line in bodies")
    if share < SHARE_MIN:
        raise Failure(f"a replay used {100 * share:.0f} % of a line of {kbit} kbit/s")

    for _ in range(5):
        feed.write(2_000)
        agent.wait_drained(LIVE_LATE_MAX_S)
    agent.require_closed_ledger()
    agent.terminate(15)
    sink.terminate(10)


class Feed:
    """Samples whose values no compression makes smaller, twenty bytes each: as heavy as those of a real scrape."""

    SAMPLES, SERIES_BYTES = 20, 400

    def __init__(self, port):
        self._writer = Writer(port)
        self._numbers = itertools.count()
        self._random = random.Random(1)
        self.written = 0

    def write(self, size):
        """One request of so many bytes, more or less."""
        stamp = int(time.time() * 1000)
        bodies = [self._series(stamp) for _ in range(max(1, size // self.SERIES_BYTES))]
        status, answer = self._writer.post(bodies)
        if status // 100 != 2:
            raise Failure(f"a write was answered {status}: {answer[:200]!r}")
        self.written += size

    def _series(self, stamp):
        names = {"__name__": "line", "number": str(next(self._numbers))}
        return dumps.series(names, [(stamp + i, self._random.random()) for i in range(self.SAMPLES)])
