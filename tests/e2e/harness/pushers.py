"""Clients that push numbered lines as Loki's own do: each stream in order, the same bytes again until they are taken."""

import gzip
import json
import threading
import time

from . import http
from . import protobuf as pb

PATH = "/loki/api/v1/push"


class Pusher(threading.Thread):
    """One stream. What it counts as taken was answered 204; an answer that got lost makes it push the same again."""

    def __init__(self, port, number, form, lines=20, every=0.1, host="127.0.0.1"):
        super().__init__(daemon=True)
        self.labels = {"app": "canary", "client": str(number), "form": form}
        self._port, self._host, self._form = port, host, form
        self._lines, self._every = lines, every
        self._ending = threading.Event()
        self.taken = []  # texts of lines, in order
        self.repeats = 0
        self.refusals = []  # answers that are neither 2xx nor 5xx
        self._next = 0

    def run(self):
        while not self._ending.wait(self._every):
            batch = []
            for _ in range(self._lines):
                batch.append((time.time_ns(), f"line {self._next} of client {self.labels['client']} " + "x" * (self._next % 97)))
                self._next += 1
            self._push(batch)

    def finish(self):
        """What it has begun is pushed to its end."""
        self._ending.set()
        self.join(60)
        return not self.is_alive()

    def _push(self, batch):
        body, headers = self._encode(batch)
        while True:
            try:
                status, answer = http.call(self._port, "POST", PATH, body, headers, self._host, timeout=20)
            except OSError:
                status, answer = 0, b""
            if status // 100 == 2:
                self.taken += [text for _, text in batch]
                return
            if status not in (0, 503):
                self.refusals.append((status, answer[:200]))
                return
            self.repeats += 1
            time.sleep(0.1)

    def _encode(self, batch):
        if self._form == "json":
            values = [[str(ns), text] for ns, text in batch]
            text = json.dumps({"streams": [{"stream": self.labels, "values": values}]})
            return gzip.compress(text.encode()), {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        labels = "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels.items())) + "}"
        stream = pb.text(1, labels)
        for ns, text in batch:
            stamp = pb.integer(1, ns // 10**9) + pb.integer(2, ns % 10**9)
            stream += pb.message(2, pb.message(1, stamp) + pb.text(2, text))
        return pb.snappy(pb.message(1, stream)), {"Content-Type": "application/x-protobuf"}
