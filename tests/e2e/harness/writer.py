"""A writer of Remote Write 1.0 made by hand, for samples that no scrape would give: old ones, and another writer's."""

from . import dumps, http
from . import protobuf as pb
from .process import Failure


HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


class Writer:
    """Remembers what was accepted, and can write it down as a dump to compare with."""

    def __init__(self, port, path="/api/v1/write", host="127.0.0.1", headers=None):
        self._port, self._path, self._host = port, path, host
        self._headers = {**HEADERS, **(headers or {})}
        self._accepted = []

    def post(self, bodies):
        """Sends messages of prometheus.TimeSeries in one request; returns (status, answer)."""
        raw = b"".join(pb.message(1, body) for body in bodies)
        status, answer = http.call(self._port, "POST", self._path, pb.snappy(raw), self._headers, self._host)
        if status // 100 == 2:
            self._accepted += bodies
        return status, answer

    def write(self, names_and_values, samples):
        status, answer = self.post([dumps.series(names_and_values, samples)])
        if status // 100 != 2:
            raise Failure(f"a write was answered {status}: {answer[:200]!r}")

    def dump(self, world, name):
        return dumps.write(world.file(f"{name}.dump", ""), self._accepted)
