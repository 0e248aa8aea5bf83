"""What the node does to the agent: clocks that jump, descriptors that run out, a process that stands still, the limits of a
container."""

import os
import socket
import subprocess
import time

from harness import dumps
from harness import protobuf as pb
from harness.limits import Limits
from harness.load import Load
from harness.process import Failure, wait_for
from harness.rig import Rig
from harness.shim import Shim
from harness.writer import HEADERS
from scenarios.outages import begin_outage, require_outage

DAY_S = 86400
STANDSTILL_S = float(os.environ.get("TIDEOVER_STANDSTILL_S", "15"))
BUSY_CPU = 0.5  # of a core: an accept loop that spins takes all of one
CHART = {"cpus": 0.3, "memory_bytes": 160 << 20}
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def clock_jumps(world, options):
    """The agent's wall clock jumps by a day, forth and back, in healthy times, in an outage and over a restart. Samples
    carry their own time: nothing is delayed, dropped or held back for it."""
    shim = Shim(world)
    rig = Rig(world, options, env=shim.env).up()
    rig.wait_delivering()
    for jump in (DAY_S, -DAY_S, 0):
        shim.jump(jump)
        rig.wait_delivering(10)
        require_sane(rig)
    world.say("jumps in healthy times")
    end_outage = begin_outage(rig)
    for jump in (DAY_S, -DAY_S):
        shim.jump(jump)
        rig.run_for(3)
        require_outage(rig)
        require_sane(rig)
    rig.agent.terminate(15)
    rig.agent.up()  # a day before its own records
    require_sane(rig)
    shim.jump(DAY_S)
    end_outage()
    rig.wait_delivering()
    shim.jump(0)
    rig.finish()


def require_sane(rig):
    destination = rig.agent.destination()
    if destination["lag_seconds"] < 0 or (destination["eta_seconds"] or 0) < 0:
        raise Failure(f"a clock that jumped shows: {destination}")


def descriptors_run_out(world, options):
    """Thousands of clients, and few descriptors; then fewer still than are open. Those who write are served or told to
    wait, the store opens what it needs, nothing spins, and all is well again afterwards."""
    rig = Rig(world, options, series=4000, prefix=["prlimit", "--nofile=200:4096"]).up()
    rig.wait_delivering()
    set_descriptor_limit(rig.agent, 200)
    crowd = Crowd(rig.agent.port, 3000)
    world.say(f"{crowd} hold connections, {open_descriptors(rig.agent)} descriptors are open")
    rig.wait_delivering()

    set_descriptor_limit(rig.agent, open_descriptors(rig.agent) // 2)
    crowd.more(500)
    cpu = cpu_share(rig.agent, 3)
    world.say(f"no descriptor is free: the agent uses {100 * cpu:.0f} % of a core")
    if cpu > BUSY_CPU:
        raise Failure("the agent spins while it cannot accept")
    rig.wait_delivering()
    crowd.leave()
    set_descriptor_limit(rig.agent, 4096)
    rig.wait_delivering()
    load = Load(world, rig.agent.port, keep=False).start()
    wait_for("new clients to be served again", lambda: load.total() > 100, 20)
    if load.stop().faults:
        raise Failure(f"new clients are not served as before: {load.faults[0]}")
    rig.finish(allow_extra=True)


def store_with_few_descriptors(world, options):
    """An outage and a restart with little more than the least number of descriptors, all that clients may have in use."""
    rig = Rig(world, options, series=8000, prefix=["prlimit", "--nofile=160:160"]).up()
    end_outage = begin_outage(rig)
    crowd = Crowd(rig.agent.port, 1000)
    rig.run_for(10)
    require_outage(rig)
    rig.kill_agent()
    crowd.more(1000)
    rig.run_for(3)
    world.say(f"{open_descriptors(rig.agent)} descriptors are open")
    end_outage()
    rig.wait_delivering()
    crowd.leave()
    rig.finish()


class Crowd:
    """Clients that connect and say nothing."""

    def __init__(self, port, size):
        self._port = port
        self._clients = []
        self.more(size)

    def __str__(self):
        return f"{len(self._clients)} clients"

    def more(self, size):
        for _ in range(size):
            client = socket.socket()
            client.settimeout(1)
            try:
                client.connect(("127.0.0.1", self._port))
            except OSError:
                pass  # the backlog is full: it is part of the crowd all the same
            self._clients.append(client)

    def leave(self):
        for client in self._clients:
            client.close()
        self._clients = []


def set_descriptor_limit(agent, limit):
    subprocess.run(["prlimit", f"--pid={agent.pid}", f"--nofile={limit}:4096"], check=True)


def open_descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def cpu_share(agent, seconds):
    def used_s():
        with open(f"/proc/{agent.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    before = used_s()
    time.sleep(seconds)
    return (used_s() - before) / seconds


def stands_still(world, options):
    """SIGSTOP, and SIGCONT after longer than any deadline. Whoever still waits is answered, a request that was arriving is
    taken, and the receiver holds everything."""
    rig = Rig(world, options).up()
    rig.wait_delivering()
    loads = [
        Load(world, rig.agent.port, clients=4, name="kept", timeout=STANDSTILL_S + 30).start(),
        Load(world, rig.agent.port, clients=4, keep=False, name="fresh", timeout=STANDSTILL_S + 30).start(),
    ]
    arriving = [HalfRequest(rig.agent.port, part) for part in (0.1, 0.5, 0.9)]
    time.sleep(1)
    rig.agent.pause()
    world.say("the agent is stopped")
    time.sleep(STANDSTILL_S)
    rig.agent.resume()
    world.say(f"the agent goes on, {STANDSTILL_S:.0f} s later")
    for half in arriving:
        status = half.finish()
        if status != 204:
            raise Failure(f"a request that was arriving when the agent stopped was answered {status}")
    rig.wait_delivering()
    for load in loads:
        world.say(str(load.stop()))
        if load.faults or set(load.answers) != {204}:
            raise Failure(f"not everybody was answered: {load} {load.faults[:1]}")
    if rig.agent.metric("tideover_receive_rejected_requests_total", 'reason="slow"'):
        raise Failure("the agent's own standstill was held against a client")
    rig.finish(seconds=90, allow_extra=True)


class HalfRequest:
    """The first part of a write; the rest comes with finish()."""

    def __init__(self, port, part):
        series = dumps.series({"__name__": "half", "part": str(part)}, [(int(time.time() * 1000), 1.0)])
        body = pb.snappy(pb.message(1, series))
        head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        request = f"POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body
        split = int(part * len(request))
        self._rest = request[split:]
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.sendall(request[:split])

    def finish(self):
        self._socket.sendall(self._rest)
        return int(self._socket.recv(100).split()[1])


def within_the_charts_limits(world, options):
    """300m of CPU and 160 MiB, page cache of the buffer's own files included, enforced by the kernel: an outage under
    load, and the replay. Nobody is killed, and clients do not feel the throttling as more than a slow answer."""
    limits = Limits(world, **CHART)
    rig = Rig(world, options, series=6000, prefix=limits.inside).up()
    limits.require_inside(rig.agent.pid)
    end_outage = begin_outage(rig)
    load = Load(world, rig.agent.port, clients=8, pause_s=0).start()
    rig.run_for(12)
    require_outage(rig)
    end_outage()
    rig.wait_delivering()
    while rig.agent.ledger()["queued"] > 20_000:
        rig.run_for(1)
    world.say(str(load.stop()))
    if load.faults or set(load.answers) != {204}:
        raise Failure(f"clients felt the limits: {load} {load.faults[:1]}")
    world.say(f"peak {limits.peak_bytes() >> 20} MiB with page cache, throttled for {limits.throttled_s():.1f} s")
    if limits.kills():
        raise Failure("the kernel killed a process for its memory")
    rig.finish(seconds=120, allow_extra=True)
