#!/usr/bin/env python3
"""The demonstration behind scripts/demo.sh: node_exporter <- Prometheus -> tideover -> mgmt, and mgmt goes away."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))
from harness import comparison, http, servers, world as worlds  # noqa: E402
from harness.process import Failure, Process, free_port, wait_for  # noqa: E402
from harness.tideover import Tideover  # noqa: E402

BEFORE_S, OUTAGE_S, AFTER_S = 15, 60, 10
NODES = 12  # scrape targets that stand for the nodes of a cluster
LEAVES_AFTER_S = 15  # of the outage: one node goes, its series end with stale markers
KILL_AFTER_S = 30


class NodeExporter(Process):
    def __init__(self, world, name):
        self.port = free_port()
        argv = [world.debian("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{self.port}"]
        super().__init__(name, argv, world.log(name))

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.port, "/metrics"), 20)


def sender_config(staying, leaving, write_url):
    nodes = "\n".join(
        f'      - {{targets: ["127.0.0.1:{staying.port}"], labels: {{node: "app1-{n:02}"}}}}' for n in range(1, NODES)
    )
    return f"""
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: node
    static_configs:
{nodes}
      - {{targets: ["127.0.0.1:{leaving.port}"], labels: {{node: "app1-{NODES:02}"}}}}
remote_write:
  - url: {write_url}
    queue_config: {{batch_send_deadline: 1s, max_backoff: 1s}}
"""


class Progress:
    """One line that moves on a terminal; on a pipe, a line every five seconds."""

    SPAN_S = 6  # rates are means over the last seconds, since scrapes come in bursts

    def __init__(self, world, agent):
        self._world, self._agent = world, agent
        self._live = sys.stdout.isatty()
        self._seen = []  # (moment, ledger), of the last SPAN_S
        self._printed = 0.0

    def say(self, sentence):
        if self._live:
            print("\r\x1b[K", end="")
        self._world.say(sentence)

    def show(self, mgmt_up):
        now = time.monotonic()
        ledger, state = self._agent.ledger(), self._agent.destination()["state"]
        self._seen = [(at, seen) for at, seen in self._seen if now - at <= self.SPAN_S] + [(now, ledger)]
        line = (
            f"mgmt {'is up  ' if mgmt_up else 'is AWAY'}  destination {state:9}  in {self._rate('accepted'):6,.0f}/s  "
            f"out {self._rate('delivered'):7,.0f}/s  backlog {ledger['queued']:8,}  delivered {ledger['delivered']:9,}"
        )
        if self._live:
            print(f"\r\x1b[K{self._world.stamp()} {line}", end="", flush=True)
        elif now - self._printed >= 5:
            self._world.say(line)
            self._printed = now

    def _rate(self, entry):
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        return (last[entry] - first[entry]) / max(last_at - first_at, 1)


class Demo:
    def __init__(self, world, options):
        self.world = world
        self.mgmt_up = True
        prometheus = world.debian("prometheus")
        if options.thanos:
            self.receiver = world.own(servers.Thanos(world, world.peer("thanos"), "mgmt"))
        else:
            self.receiver = world.own(servers.PrometheusReceiver(world, prometheus, "mgmt"))
        self.staying = world.own(NodeExporter(world, "node_exporter"))
        self.leaving = world.own(NodeExporter(world, "leaving_node_exporter"))
        url = self.receiver.api + self.receiver.path
        self.agent = world.own(Tideover(world, url, tenant=self.receiver.tenant))
        config = sender_config(self.staying, self.leaving, f"http://127.0.0.1:{self.agent.port}/api/v1/write")
        self.sender = world.own(servers.Prometheus(world, "prometheus", prometheus, config))
        self.progress = Progress(world, self.agent)

    def up(self):
        for process in (self.receiver, self.staying, self.leaving, self.agent, self.sender):
            process.up()
        self.print_urls()

    def print_urls(self):
        mgmt = "Thanos Receive" if isinstance(self.receiver, servers.Thanos) else "Prometheus"
        for part, where in (
            ("node_exporter", f"http://127.0.0.1:{self.staying.port}/metrics"),
            ("Prometheus (app1)", self.sender.api),
            ("tideover", f"{self.agent.admin}  (takes writes on port {self.agent.port})"),
            (f"{mgmt} (mgmt)", f"http://127.0.0.1:{self.receiver.port}"),
        ):
            print(f"   {part:22}{where}", flush=True)

    def watch(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.progress.show(self.mgmt_up)
            time.sleep(1)

    def outage(self):
        self.receiver.terminate(60)
        self.mgmt_up = False
        self.progress.say("mgmt is taken away")
        self.watch(LEAVES_AFTER_S)
        self.leaving.kill()
        self.progress.say(f"node app1-{NODES:02} goes: its series end with stale markers")
        self.watch(KILL_AFTER_S - LEAVES_AFTER_S)
        self.agent.kill()
        self.agent.up()
        self.progress.say("the agent is killed with -9 and started again on the same directory")
        self.watch(OUTAGE_S - KILL_AFTER_S)
        self.receiver.up()
        self.mgmt_up = True
        self.progress.say("mgmt is back")

    def drain(self, end):
        """Until all that was scraped before `end` has passed both queues."""

        def sent():
            self.progress.show(self.mgmt_up)
            name = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds"
            return http.total(self.sender.port, name) > end + 3

        wait_for("Prometheus to hand over its samples", sent, 60, every=1)
        handed_over = self.agent.ledger()["accepted"]

        def drained():
            self.progress.show(self.mgmt_up)
            ledger = self.agent.ledger()
            return ledger["accepted"] - ledger["queued"] >= handed_over

        wait_for("the agent to drain", drained, 120, every=1)

    def verdict(self, begin, end):
        self.progress.say("comparing every sample on both ends")
        received = self.receiver.api
        if isinstance(self.receiver, servers.Thanos):
            self.receiver.terminate(60)
            received = comparison.dump(self.world, self.receiver.tsdb, "mgmt")
        window = {"from_ms": int(begin * 1000), "to_ms": int(end * 1000)}
        return comparison.compare(self.world, self.sender.api, received, **window)


def demo(world, options):
    show = Demo(world, options)
    show.up()
    begin = time.time()
    show.watch(BEFORE_S)
    show.outage()
    show.watch(AFTER_S)
    end = time.time()
    show.drain(end)
    report = show.verdict(begin, end)
    print()
    print(f"   {comparison.describe(report)}")
    for example in report["examples"]:
        print(f"   {example}")
    if not report["same"]:
        raise Failure("the two ends differ")
    print("   Every sample arrived, none altered: a minute without mgmt and one kill -9 left no trace.")
    show.print_urls()
    if options.keep:
        print("   Everything keeps running. Ctrl-C ends it.", flush=True)
        while True:
            show.watch(3600)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", default="build/release")
    parser.add_argument("--peers", default=os.environ.get("PEERS_BIN", os.path.expanduser("~/.cache/tideover/peers")))
    parser.add_argument("--thanos", action="store_true", help="Thanos Receive in mgmt instead of Prometheus")
    parser.add_argument("--keep", action="store_true", help="keep everything running at the end")
    options = parser.parse_args()
    world = worlds.World("demo", os.path.abspath(options.binaries), os.path.abspath(options.peers))
    return worlds.run(lambda w: demo(w, options), world)


if __name__ == "__main__":
    sys.exit(main())
