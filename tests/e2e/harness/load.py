"""Clients that write without pause and hold the agent to every single answer."""

import http.client
import random
import threading
import time

from . import dumps
from . import protobuf as pb
from .writer import HEADERS

QUANTILES = {"median": 0.5, "p99": 0.99, "slowest": 1.0}
FIRST_MS_AGO = 3600 * 1000


class Load:
    """`clients` threads, each with series of its own and a sample per request. A client keeps its connection, or, where
    `keep` is False, makes one for each request. It never tries again: what is refused or not answered is a fault, except
    where the agent said 503."""

    def __init__(self, world, port, clients=8, keep=True, pause_s=0.01, timeout=20, name="load", host="127.0.0.1"):
        self._port, self._host, self._keep, self._pause_s, self._timeout = port, host, keep, pause_s, timeout
        self._name = name
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.answers = {}  # status: how many
        self.faults = []  # sentences
        self.took_s = []
        self._accepted = []
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(clients)]
        world.at_end(self._stopping.set)

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        """Returns itself, complete: every client has had its last answer."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        return self

    def total(self):
        return sum(self.answers.values())

    def __str__(self):
        answers = ", ".join(f"{n} times {status}" for status, n in sorted(self.answers.items()))
        times = ", ".join(f"{name} {1000 * self.quantile_s(q):.0f} ms" for name, q in QUANTILES.items())
        return f"{answers or 'no answer'}; {len(self.faults)} faults; {times}"

    def quantile_s(self, q):
        ordered = sorted(self.took_s)
        return ordered[min(int(q * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    def dump(self, world):
        """What was answered 2xx, to compare a receiver with."""
        return dumps.write(world.file(f"{self._name}.dump", ""), self._accepted)

    def _run(self, number):
        connection = None
        stamp = int(time.time() * 1000) - FIRST_MS_AGO
        while not self._stopping.is_set():
            stamp += 1
            body = dumps.series({"__name__": f"{self._name}_client", "number": str(number)}, [(stamp, float(stamp % 1000))])
            connection = connection or http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            began = time.monotonic()
            try:
                connection.request("POST", "/api/v1/write", pb.snappy(pb.message(1, body)), HEADERS)
                answer = connection.getresponse()
                answer.read()
                self._note(answer.status, body, time.monotonic() - began)
                ended = not self._keep or answer.will_close
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.faults.append(f"client {number}, after {time.monotonic() - began:.3f} s: {error!r}")
                ended = True
            if ended:
                connection.close()
                connection = None
            time.sleep(random.uniform(0, 2 * self._pause_s))
        if connection:
            connection.close()

    def _note(self, status, body, took_s):
        with self._lock:
            self.answers[status] = self.answers.get(status, 0) + 1
            self.took_s.append(took_s)
            if status // 100 == 2:
                self._accepted.append(body)
