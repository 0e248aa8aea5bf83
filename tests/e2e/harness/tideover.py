"""The agent under test, and what it says about itself."""

import os

from . import http
from .process import Failure, Process, free_port, wait_for

RSS_MAX_KIB = 128 * 1024  # in outage and replay, whatever the backlog


class Tideover(Process):
    def __init__(self, world, url, tenant=None, data=None, max_bytes="1GiB", keep_free="0%", name="tideover", prefix=(), env=None, program=None):
        self.host = "127.0.0.1"
        self.port, self.admin_port = free_port(), free_port()
        self.data = data or world.directory("buffer")
        self.config = world.file(f"{name}.yaml", "")
        self.say = world.say
        self._url, self._tenant, self._max_bytes, self._keep_free = url, tenant, max_bytes, keep_free
        super().__init__(name, [program or world.binary("tideover"), "run", "--config", self.config], world.log(name), prefix, env)
        self.configure()

    def configure(self, listen=None, admin=None, data=None, more="", destination="mgmt"):
        """Writes the file; a running agent reads it at its next reload. `more` is a line of the top level."""
        tenant_line = f"tenant: {self._tenant}" if self._tenant else ""
        self.write_config(f"""
cluster: e2e
node: {self.name}
data_dir: {data or self.data}
disk: {{keep_free: {self._keep_free}}}
admin: {{listen: "{admin or f"{self.host}:{self.admin_port}"}"}}
metrics:
  listen: "{listen or f"{self.host}:{self.port}"}"
  max_bytes: {self._max_bytes}
  destinations:
    - name: {destination}
      url: {self._url}
      {tenant_line}
      out_of_order_window: 4h
{more}
""")

    def write_config(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    def reload(self):
        """Asks over the socket; the answer says that the file is good, the restart follows. A refusal is a Failure."""
        self.command("POST", "/-/reload")

    def image_count(self):
        """How many images of the program have been ready under this name."""
        return self.log().count("tideover is ready")

    def wait_image(self, number, seconds=10):
        wait_for(f"image {number} of the agent to be ready", lambda: self.image_count() >= number, seconds, every=0.02)

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.admin_port, "/-/ready", self.host), 20)

    @property
    def admin(self):
        return f"http://{self.host}:{self.admin_port}"

    def metric(self, name, labels=""):
        return http.total(self.admin_port, name, labels, self.host)

    def ledger(self, destination="mgmt", signal="metrics"):
        """The account of a destination: accepted, delivered, rejected, dropped, queued, parked. None: it has none."""
        return http.get_json(self.admin_port, "/api/v1/status/ledger", self.host)[signal].get(destination)

    def destination(self, name="mgmt"):
        """What it says about a destination: state, last_error, backlog, parked_samples, ... None: nothing."""
        known = http.get_json(self.admin_port, "/api/v1/status/destinations", self.host)["destinations"]
        return next((d for d in known if d["name"] == name), None)

    def buffer(self):
        """What it says of its buffer: bytes, samples, refusing, survivable_seconds, ..."""
        return http.get_json(self.admin_port, "/api/v1/status/buffer", self.host)["signals"]["metrics"]

    def command(self, method, path):
        """A verb that changes state: only on the unix socket."""
        connection = http.UnixConnection(os.path.join(self.data, "admin.sock"), 10)
        status, body = http.request(connection, method, path)
        if status // 100 != 2:
            raise Failure(f"{method} {path} answered {status}: {body[:200]!r}")
        return body

    def replay_parked(self):
        self.command("POST", "/api/v1/buffer/replay-parked")

    def wait_drained(self, seconds):
        wait_for("the agent to drain", lambda: self.ledger()["queued"] == 0, seconds)

    def require_closed_ledger(self):
        """accepted = delivered + rejected + dropped + queued, and nothing was refused or given up."""
        ledger = self.ledger()
        rejected, dropped = sum(ledger["rejected"].values()), sum(ledger["dropped"].values())
        if not ledger["in_balance"] or ledger["accepted"] != ledger["delivered"] + rejected + dropped + ledger["queued"]:
            raise Failure(f"the ledger does not close: {ledger}")
        if rejected or dropped:
            raise Failure(f"samples were rejected or dropped: {ledger}")

    def require_small(self, peak_kib):
        peak_kib = max(peak_kib, self.peak_rss_kib())
        if peak_kib > RSS_MAX_KIB:
            raise Failure(f"the agent's resident memory reached {peak_kib // 1024} MiB")
        return peak_kib
