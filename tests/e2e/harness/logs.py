"""Far ends of logs: real VictoriaLogs, which stores whatever it gets, and the strict model of Loki."""

import base64
import json
import urllib.parse

from . import http
from .process import Process, free_port


class VictoriaLogs(Process):
    """Duplicates are stored twice, any order is taken; a tenant is a number."""

    path = "/insert/loki/api/v1/push?disable_message_parsing=1"
    options = ""  # further keys of a destination that sends here

    def __init__(self, world, binary, name="victorialogs"):
        self.port = free_port()
        self.data = world.directory(name)
        argv = [binary, f"-storageDataPath={self.data}", f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=30d"]
        super().__init__(name, argv, world.log(name))

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.port, "/health"), 30)

    def lines(self, query="*"):
        """[(labels as text, time as text, line)], all of them, in no order."""
        http.get(self.port, "/internal/force_flush")
        status, body = http.get(self.port, "/select/logsql/query?" + urllib.parse.urlencode({"query": query}), timeout=60)
        if status != 200:
            raise OSError(f"the query answered {status}: {body[:200]!r}")
        rows = map(json.loads, body.splitlines())
        return [(row["_stream"], row["_time"], row.get("_msg", "")) for row in rows]


class LokiModel(Process):
    """The build's own tideover-loki-model; tests/support/loki_surface.h says what it can be asked."""

    path = "/loki/api/v1/push"
    options = "tenant: e2e"

    def __init__(self, world, name="loki-model"):
        self.port = free_port()
        argv = [world.binary("tideover-loki-model"), f"127.0.0.1:{self.port}"]
        super().__init__(name, argv, world.log(name))

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.port, "/ready"), 20)

    def set(self, **mode):
        status, body = http.call(self.port, "POST", "/model/mode", json.dumps(mode))
        if status != 204:
            raise OSError(f"the mode was answered {status}: {body!r}")

    def lines(self):
        """[(tenant, labels as text, ns, line as bytes)] in the order in which they were stored."""
        _, body = http.get(self.port, "/model/lines", timeout=60)
        rows = map(json.loads, body.splitlines())
        return [(row["tenant"], row["labels"], int(row["ts"]), base64.b64decode(row["line"])) for row in rows]

    def discarded(self):
        return http.get_json(self.port, "/model/discarded")
