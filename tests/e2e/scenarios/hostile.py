"""Hostile clients at the intake: the agent stays small, and an honest client is served all the while."""

import http.client
import threading
import time

from harness import dumps
from harness import protobuf as pb
from harness.process import Failure, wait_for
from harness.tideover import Tideover
from hostile import attacks, sink

HONEST_EVERY_S = 0.1
# An honest request may be turned away, and tries again as Prometheus does. Generous: a test machine does other things.
SERVED_WITHIN_S = 15
RSS_MAX_KIB = 144 * 1024  # the chart allows 160 MiB


class Honest(threading.Thread):
    """Writes a sample ten times a second, as Prometheus would: one connection, another one when that is gone, the same
    request again after a 503."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._port = port
        self._ending = threading.Event()
        self.lock = threading.Lock()
        self.latencies, self.retries, self.stored, self.fault = [], 0, 0, None

    def run(self):
        connection = None
        while not self._ending.wait(HONEST_EVERY_S):
            body = pb.snappy(pb.message(1, dumps.series({"__name__": "honest"}, [(int(time.time() * 1000), 1.0)])))
            begun = time.monotonic()
            while True:
                status, connection = self._post(connection, body)
                if status == 204 or time.monotonic() - begun > SERVED_WITHIN_S:
                    break
                self.retries += 1
                time.sleep(0.05)
            if status != 204:
                self.fault = f"an honest write was not served within {SERVED_WITHIN_S} s (last status: {status})"
                return
            with self.lock:
                self.stored += 1
                self.latencies.append(time.monotonic() - begun)

    def _post(self, connection, body):
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SERVED_WITHIN_S)
        try:
            connection.request("POST", attacks.PATH, body, {"Content-Type": "application/x-protobuf",
                                                            "Content-Encoding": "snappy"})
            answer = connection.getresponse()
            answer.read()
            if answer.will_close:
                connection.close()
                connection = None
            return answer.status, connection
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return repr(error), None

    def take_latencies(self):
        with self.lock:
            taken, self.latencies = self.latencies, []
        return sorted(taken)

    def end(self):
        self._ending.set()
        self.join(SERVED_WITHIN_S * 2)


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def hostile_clients(world, options):
    receiver = sink.Sink()
    agent = world.own(Tideover(world, f"http://127.0.0.1:{receiver.port}/write", max_bytes="2GiB")).up()
    honest = Honest(agent.port)
    honest.start()
    time.sleep(3)
    report(world, agent, honest, "nobody else")
    peak = agent.peak_rss_kib()
    for attack in attacks.attacks():
        name = attack[0]
        reset_peak(agent.pid)
        attacks.start(agent.port, attack).join()
        if honest.fault or not agent.running():
            raise Failure(f"{name}: {honest.fault or 'the agent is gone'}")
        peak = max(peak, report(world, agent, honest, name))
    honest.end()
    agent.wait_drained(120)
    peak = max(peak, agent.peak_rss_kib())
    ledger = agent.ledger()
    world.say(f"{honest.stored} honest writes served, {honest.retries} of them again; peak {peak >> 10} MiB; {ledger}")
    if not ledger["in_balance"] or ledger["parked"] or ledger["dropped"]:
        raise Failure(f"the ledger does not close: {ledger}")
    if peak > RSS_MAX_KIB:
        raise Failure(f"the agent's resident memory reached {peak >> 10} MiB")
    if agent.terminate(30) != 0:
        raise Failure("the agent did not stop cleanly")


SLOW = (  # clients, bytes of each that come at once
    (3, 0),
    (32, 0),
    (8, 4_000_000),
    (200, 120_000),
)


def slow_bodies(world, options):
    receiver = sink.Sink()
    agent = world.own(Tideover(world, f"http://127.0.0.1:{receiver.port}/write", max_bytes="2GiB")).up()
    honest = Honest(agent.port)
    honest.start()
    for clients, at_once in SLOW:
        name = f"{clients} that send {at_once} bytes and then 5 kB/s"
        attack = attacks.start(agent.port, (name, clients, 12, attacks.begun_bodies(at_once)))
        attack.join()
        latencies = honest.take_latencies()
        if honest.fault or honest.retries or len(latencies) < 50:
            raise Failure(f"{name}: {len(latencies)} honest writes served, {honest.retries} refused; {honest.fault}")
        p99 = latencies[len(latencies) * 99 // 100]
        world.say(f"{name}: {len(latencies)} honest writes, p99 {1000 * p99:.0f} ms")
        if p99 > 1:
            raise Failure(f"{name}: the honest writes took {p99:.1f} s")
    honest.end()
    if agent.peak_rss_kib() > RSS_MAX_KIB:
        raise Failure(f"the agent's resident memory reached {agent.peak_rss_kib() >> 10} MiB")
    agent.wait_drained(120)
    if agent.terminate(30) != 0:
        raise Failure("the agent did not stop cleanly")


def report(world, agent, honest, name):
    latencies = honest.take_latencies()
    peak = agent.peak_rss_kib()
    wait_for("an honest write", lambda: latencies or honest.take_latencies(), SERVED_WITHIN_S)
    median = latencies[len(latencies) // 2] if latencies else float("nan")
    world.say(f"{name}: honest writes {len(latencies)}, median {1000 * median:.1f} ms, "
              f"longest {1000 * max(latencies, default=float('nan')):.0f} ms; VmHWM {peak >> 10} MiB")
    return peak
