"""Stopping, at bad moments: while mgmt is away, while the backlog is replayed, while the disk hangs, in a crowd."""

import signal
import socket
import time

from harness.disk import SmallDisk
from harness.load import Load
from harness.process import Failure, free_port, wait_for
from harness.rig import Rig
from harness.shim import Shim
from harness.tideover import Tideover
from scenarios.outages import begin_outage, require_outage

STOP_SECONDS_MAX = 15
GRACE_S = 28  # below the 30 s that Kubernetes grants by default
REFUSED = FAULT = 1
CROWD = 3000


def stops_in_an_outage(world, options):
    """SIGTERM during an outage: exit code 0 within the deadline. A second agent on the same directory is refused, and
    the first one does not mind."""
    rig = Rig(world, options).up()
    end_outage = begin_outage(rig)
    rig.run_for(6)

    second = world.own(Tideover(world, url=rig.receiver.api, data=rig.agent.data, name="second"))
    code = second.start().wait(15)
    if code != REFUSED:
        raise Failure(f"a second agent on the same directory exited with {code}; see {second.log_path}")
    if rig.agent.data not in second.log():
        raise Failure(f"the second agent does not name the directory that is taken; see {second.log_path}")
    world.say(f"a second agent is refused: {second.log().strip().splitlines()[0]}")
    require_outage(rig)

    code = rig.agent.terminate(STOP_SECONDS_MAX)
    if code != 0:
        raise Failure(f"SIGTERM in an outage: exit code {code}; see {rig.agent.log_path}")
    world.say("stopped cleanly in the outage")
    rig.agent.up()
    require_outage(rig)
    end_outage()
    rig.wait_delivering()
    rig.finish()


def stops_while_replaying(world, options):
    """SIGTERM while the backlog is on its way: exit code 0 within the deadline, and nothing is missing afterwards."""
    rig = Rig(world, options, series=8000).up()
    end_outage = begin_outage(rig)
    rig.run_for(10)
    backlog = rig.agent.ledger()["queued"]
    end_outage()
    wait_for("the replay", lambda: 0 < rig.agent.ledger()["queued"] < backlog, 30, every=0.005)
    world.say(f"of {backlog} samples {rig.agent.ledger()['queued']} are left to replay")
    require_clean_stop(rig.agent, STOP_SECONDS_MAX)
    rig.agent.up()
    rig.wait_delivering()
    rig.finish()


def require_clean_stop(agent, seconds):
    began = time.monotonic()
    code = agent.terminate(seconds)
    if code != 0 or 'msg="stopped" status=0' not in agent.log():
        raise Failure(f"SIGTERM: exit code {code}; see {agent.log_path}")
    agent.say(f"stopped cleanly within {time.monotonic() - began:.1f} s")


def stops_with_a_hanging_disk(world, options):
    """Syncs hang: nobody is told that his samples are safe. SIGTERM ends the agent within the grace period, it says why,
    and what it had acknowledged is there. A second SIGTERM does not wait for that."""
    shim = Shim(world)
    agent = world.own(Tideover(world, f"http://127.0.0.1:{free_port()}/", env=shim.env)).up()
    for signals in (1, 2):
        load = Load(world, agent.port, clients=4, name=f"load{signals}").start()
        wait_for("some writes", lambda: load.total() > 50, 20)
        shim.hang()
        time.sleep(1)  # what was being synced at that moment is
        answered = load.total()
        time.sleep(2)
        if load.total() != answered:
            raise Failure(f"samples were acknowledged while no sync returned: {load}")
        began = time.monotonic()
        for _ in range(signals):
            agent.signal(signal.SIGTERM)
            time.sleep(0.2)
        code = agent.wait(GRACE_S)
        took = time.monotonic() - began
        world.say(f"{signals} SIGTERM during a hanging sync: exit code {code} after {took:.1f} s")
        last = agent.log().strip().splitlines()[-1]
        if signals == 1 and (code != FAULT or "the disk does not answer" not in last):
            raise Failure(f"it ended with {code}, saying {last}")
        if signals == 2 and (took > 3 or "at once" not in last):
            raise Failure(f"the second SIGTERM did not hasten: {took:.1f} s, saying {last}")
        shim.go_on()
        load.stop()
        acknowledged = load.answers[204]
        agent.up()
        if agent.ledger()["accepted"] < acknowledged:
            raise Failure(f"{acknowledged} samples were acknowledged, and {agent.ledger()} is left")
    require_clean_stop(agent, STOP_SECONDS_MAX)


def stops_on_a_frozen_disk(world, options):
    """The same where the kernel itself hangs (fsfreeze): nothing can end a thread that waits there. The agent closes its
    doors, says what it waits for, and is gone as soon as the kernel lets go."""
    disk = SmallDisk(world, 160)
    agent = world.own(Tideover(world, f"http://127.0.0.1:{free_port()}/", data=f"{disk.path}/buffer")).up()
    load = Load(world, agent.port, clients=4).start()
    wait_for("some writes", lambda: load.total() > 50, 20)
    disk.freeze()
    time.sleep(2)
    began = time.monotonic()
    agent.signal(signal.SIGTERM)
    wait_for("the agent to give up", lambda: "the disk does not answer" in agent.log(), GRACE_S)
    world.say(f"it gave up after {time.monotonic() - began:.1f} s")
    for port in (agent.port, agent.admin_port):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise Failure("a process that cannot end still takes clients")
    disk.thaw()
    if agent.wait(5) != FAULT:
        raise Failure(f"it did not end when the disk went on; see {agent.log_path}")
    load.stop()
    agent.up()
    if agent.ledger()["accepted"] < load.answers[204]:
        raise Failure(f"{load.answers[204]} samples were acknowledged, and {agent.ledger()} is left")
    require_clean_stop(agent, STOP_SECONDS_MAX)


def stops_in_a_crowd(world, options):
    """Thousands of clients are connected, some of them in the middle of a request that never ends. Those who write are
    served meanwhile, and SIGTERM takes no longer for it."""
    rig = Rig(world, options).up()
    rig.wait_delivering()
    crowd = [socket.create_connection(("127.0.0.1", rig.agent.port)) for _ in range(CROWD)]
    for number, client in enumerate(crowd[:: CROWD // 100]):
        try:
            client.sendall(b"POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"[: 20 + number])
        except OSError:
            pass  # it has been closed to make room: its right
    world.say(f"{CROWD} clients are connected")
    rig.wait_delivering()
    require_clean_stop(rig.agent, STOP_SECONDS_MAX)
    for client in crowd:
        client.close()
    rig.agent.up()
    rig.wait_delivering()
    rig.finish()
