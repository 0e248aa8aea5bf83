"""The usual arrangement: exporter <- Prometheus -> tideover -> receiver, and the comparison at the end."""

import time

from . import comparison, servers
from .process import Failure, wait_for
from .tideover import Tideover


def make_receiver(world, options, **more):
    if options.receiver == "thanos":
        return world.own(servers.Thanos(world, world.peer("thanos"), **more))
    return world.own(servers.PrometheusReceiver(world, world.peer("prometheus"), **more))


def write_url_of(receiver):
    return receiver.api + receiver.path


class Rig:
    """`receiver_options` go to the receiver, `agent_options` to the agent; nothing runs before up()."""

    def __init__(self, world, options, series=1000, receiver_options=None, url=write_url_of, **agent_options):
        self.world = world
        self.receiver = make_receiver(world, options, **(receiver_options or {}))
        self.exporter = world.own(servers.Exporter(world, series))
        self.agent = world.own(Tideover(world, url(self.receiver), tenant=self.receiver.tenant, **agent_options))
        write_url = f"http://127.0.0.1:{self.agent.port}/api/v1/write"
        self.sender = world.own(
            servers.Sender(world, world.peer("prometheus"), self.exporter, write_url, options.sender)
        )
        self.peak_rss_kib = 0

    def up(self, receiver=True):
        if receiver:
            self.receiver.up()
        self.exporter.up()
        self.agent.up()
        self.sender.up()
        self.world.say(f"running: sender {self.sender.api}, agent {self.agent.admin}, receiver {self.receiver.api}")
        return self

    def run_for(self, seconds):
        """Lets the flow run, with a line of progress now and then."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(min(5, max(0, deadline - time.monotonic())))
            self.progress()

    def progress(self):
        if not self.agent.running():
            self.world.say("agent is down")
            return
        self.peak_rss_kib = max(self.peak_rss_kib, self.agent.peak_rss_kib())
        ledger = self.agent.ledger()
        self.world.say("  ".join(f"{key} {ledger[key]}" for key in ("accepted", "delivered", "queued", "parked")))

    def kill_agent(self):
        self.peak_rss_kib = max(self.peak_rss_kib, self.agent.peak_rss_kib())
        self.agent.kill()
        self.world.say("agent killed with -9")
        self.agent.up()

    def wait_delivering(self, seconds=30):
        """The receiver has acknowledged more than it had when this was called."""
        before = self.agent.ledger()["delivered"]
        wait_for("the agent to deliver", lambda: self.agent.ledger()["delivered"] > before, seconds)

    def finish(self, seconds=60, allow_extra=False):
        """Ends the run and requires that both ends hold the same; `allow_extra`: others write to the receiver too."""
        end = self.stop_sender(seconds)
        self.world.say("the sender has stopped; draining")
        self.agent.wait_drained(seconds)
        self.require_same_ends(end, allow_extra)

    def stop_sender(self, seconds=60):
        """All that it has is with the agent. Returns the time up to which both ends can be compared."""
        end = time.time()
        self.sender.wait_sent(end + 2, seconds)
        self.require_sender_lost_nothing()
        self.sender.terminate(70)
        return end

    def require_same_ends(self, end, allow_extra=False):
        """Ends agent and receiver, and compares."""
        self.progress()
        self.agent.require_closed_ledger()
        peak = self.agent.require_small(self.peak_rss_kib)
        self.world.say(f"peak resident memory of the agent: {peak // 1024} MiB")
        code = self.agent.terminate(15)
        if code != 0:
            raise Failure(f"the agent exited with {code}; see {self.agent.log_path}")
        self.receiver.terminate(70)
        sent = comparison.dump(self.world, self.sender.data, "sender")
        received = comparison.dump(self.world, self.receiver.tsdb, "receiver")
        report = comparison.require_same(self.world, sent, received, to_ms=int(end * 1000), allow_extra=allow_extra)
        require_variety(report)

    def require_sender_lost_nothing(self):
        for name in ("samples_dropped_total", "samples_failed_total", "histograms_dropped_total", "histograms_failed_total"):
            if self.sender.metric(name) > 0:
                raise Failure(f"the sender itself counts {self.sender.metric(name):.0f} in {name}")


def require_variety(report):
    for kind in ("stale_markers", "histograms"):
        if not report["sender"][kind]:
            raise Failure(f"the run holds no {kind}, so it proves nothing about them")
