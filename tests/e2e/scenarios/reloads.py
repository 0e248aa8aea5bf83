"""The agent restarts in place, and nobody who writes to it can tell."""

import os
import random
import shutil
import signal
import socket
import threading
import time

from harness import comparison, http
from harness.load import Load
from harness.process import Failure, free_port, wait_for
from harness.rig import Rig
from harness.tideover import Tideover
from harness.writer import Writer

RELOADS = 20
STORM = 10
ALLOWED = {204, 503}
# A reload holds a request up by the time of a recovery; this is for a machine that does other things too.
SLOWEST_S = 5


def under_load(world, options):
    """Twenty reloads, a storm of ten within a second, and a faulty file, under writers that keep their connections, that
    make one per request, that pause between requests, and a Prometheus. Every request is answered 204 or 503, the agent
    stays ready, and the receiver holds all that was accepted."""
    rig = Rig(world, options).up()
    agent = rig.agent
    rig.wait_delivering()
    loads = [
        Load(world, agent.port, clients=6, name="kept").start(),
        Load(world, agent.port, clients=3, keep=False, name="fresh").start(),
        Load(world, agent.port, clients=6, pause_s=0.4, name="idle").start(),
    ]
    watch = Watch(agent).start()
    pid = agent.pid

    for number in range(RELOADS):
        time.sleep(random.uniform(0.2, 0.5))
        agent.signal(signal.SIGHUP)
        agent.wait_image(2 + number)
    world.say(f"{RELOADS} reloads: {loads[0]}")

    for _ in range(STORM):
        agent.signal(signal.SIGHUP)
        time.sleep(1 / STORM)
    wait_for("the storm to pass", settled(agent), 20)
    if "cannot be used" in agent.log():
        raise Failure(f"a reload of a good file was refused; see {agent.log_path}")
    world.say(f"a storm of {STORM} made {agent.image_count() - 1 - RELOADS} more")

    images = agent.image_count()
    agent.write_config("cluster: [\n")
    agent.signal(signal.SIGHUP)
    wait_for("the faulty file to be noticed", lambda: not agent.metric("tideover_config_last_reload_successful"), 10)
    agent.configure()
    if agent.image_count() != images or agent.pid != pid or not agent.running():
        raise Failure("a faulty file made the agent restart")

    watch.stop()
    for load in loads:
        require_answers(world, load.stop())
    retried = rig.sender.metric("samples_retried_total")
    if retried:
        raise Failure(f"Prometheus had to send {retried:.0f} samples again")
    rig.finish(allow_extra=True)
    received = comparison.dump(world, rig.receiver.tsdb, "receiver")
    for load in loads:
        comparison.require_same(world, load.dump(world), received, allow_extra=True)


def require_answers(world, load):
    world.say(str(load))
    if load.faults:
        raise Failure(f"{len(load.faults)} requests were refused or not answered, such as {load.faults[0]}")
    if set(load.answers) - ALLOWED or not load.answers.get(204):
        raise Failure(f"answers beside 204 and 503: {load}")
    if load.quantile_s(1) > SLOWEST_S:
        raise Failure(f"an answer took too long: {load}")


def settled(agent):
    """True once the number of images has stayed the same for a second."""
    seen = [agent.image_count(), time.monotonic()]

    def condition():
        count = agent.image_count()
        if count != seen[0]:
            seen[:] = [count, time.monotonic()]
        return time.monotonic() - seen[1] > 1

    return condition


class Watch:
    """Asks for readiness the whole time, as kubelet does: a connection for each question, an answer within a second."""

    def __init__(self, agent):
        self._agent = agent
        self._stopping = threading.Event()
        self._faults = []
        self._asked = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _run(self):
        while not self._stopping.is_set():
            for path in ("/-/ready", "/-/healthy"):
                try:
                    status = http.get(self._agent.admin_port, path, timeout=1)[0]
                except OSError as error:
                    status = error
                self._asked += 1
                if status != 200:
                    self._faults.append(f"{path} {status}")
            time.sleep(0.01)

    def stop(self):
        self._stopping.set()
        self._thread.join()
        if self._faults:
            raise Failure(f"{len(self._faults)} of {self._asked} probes failed, such as {self._faults[0]}")


def to_other_addresses(world, options):
    """A reload moves the listeners: the new ones take clients, the old ones refuse them. Where the new address is taken,
    or the new directory cannot be used, nothing changes."""
    agent = world.own(Tideover(world, "http://127.0.0.1:9/")).up()
    writer = Writer(agent.port)
    writer.write({"__name__": "before"}, [(int(time.time() * 1000), 1.0)])
    another = world.own(Tideover(world, "http://127.0.0.1:9/", data=world.directory("another"), name="another")).up()
    others = socket.create_server(("127.0.0.1", free_port()))
    world.at_end(others.close)

    faults = {
        "a taken address": {"listen": f"127.0.0.1:{others.getsockname()[1]}"},
        "an address of another machine": {"admin": "192.0.2.1:7301"},
        "an unknown key": {"more": "surprise: 1"},
        "another agent's directory": {"data": another.data},
        "a file in the directory's place": {"data": world.file("file", "")},
    }
    for name, change in faults.items():
        agent.configure(**change)
        try:
            agent.reload()
        except Failure as refusal:
            world.say(f"{name} is refused: {refusal}")
        else:
            raise Failure(f"{name} was not refused")
        writer.write({"__name__": "still"}, [(int(time.time() * 1000), 1.0)])
    if agent.image_count() != 1:
        raise Failure("a reload that was refused made the agent restart")

    # The same port everywhere and back: the new socket overlaps the old one.
    for image, host in enumerate(("0.0.0.0", "127.0.0.1"), 2):
        agent.configure(listen=f"{host}:{agent.port}")
        agent.reload()
        agent.wait_image(image)
        writer.write({"__name__": "same_port"}, [(int(time.time() * 1000), 1.0)])

    old_port, old_admin_port = agent.port, agent.admin_port
    agent.port, agent.admin_port = free_port(), old_port  # the admin address moves to where samples were taken
    agent.configure()
    agent.reload()
    agent.wait_image(4)
    Writer(agent.port).write({"__name__": "after"}, [(int(time.time() * 1000), 1.0)])
    if not http.ok(agent.admin_port, "/-/ready"):
        raise Failure("the agent is not ready at its new admin address")
    if accepts(old_admin_port):
        raise Failure("an address that is not in the configuration any more still takes clients")
    ledger = agent.ledger()
    if ledger["accepted"] != len(faults) + 4 or agent.terminate(15) != 0:
        raise Failure(f"after all: {ledger}; see {agent.log_path}")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except ConnectionRefusedError:
        return False


def met_by_other_things(world, options):
    """SIGTERM at any moment of a reload is a clean stop. A program that was replaced or removed on disk is not what a
    reload starts, and a file that changes while it is reloaded is looked at again."""
    program = os.path.join(world.root, "program")
    shutil.copy(world.binary("tideover"), program)
    agent = world.own(Tideover(world, "http://127.0.0.1:9/", program=program)).up()
    for number in range(15):
        agent.signal(signal.SIGHUP)
        time.sleep(random.uniform(0, 0.06))
        code = agent.terminate(15)
        if code != 0:
            raise Failure(f"SIGTERM during a reload: exit code {code}; see {agent.log_path}")
        agent.up()
    world.say("fifteen times SIGTERM during a reload: exit code 0")

    os.rename(world.file("replacement", "this is no program\n"), program)
    images = agent.image_count()
    agent.reload()
    agent.wait_image(images + 1)
    os.unlink(program)
    agent.reload()
    agent.wait_image(images + 2)
    with open(f"/proc/{agent.pid}/comm") as name:
        if name.read().strip() != "tideover":
            raise Failure("after a reload the process has another name")
    world.say("two reloads with another file, and none, in the program's place")

    other = free_port()
    agent.signal(signal.SIGHUP)
    time.sleep(0.01)
    agent.configure(listen=f"127.0.0.1:{other}")
    agent.signal(signal.SIGHUP)
    wait_for("the newest file to be in force", lambda: accepts(other) and not accepts(agent.port), 10)
    if agent.terminate(15) != 0:
        raise Failure(f"a stop after all; see {agent.log_path}")
