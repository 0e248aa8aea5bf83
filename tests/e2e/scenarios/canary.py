"""Containers write numbered lines while kubelet rotates, pods come and go, the agent is killed and mgmt is away: each
line arrives once, unaltered and in the order of its stream."""

import collections
import os
import re
import time

from harness import logs
from harness.kubelet import Container
from harness.process import Failure
from scenarios.pushes import LogsAgent, require_ledger

CONTAINERS = 8
MINUTES = float(os.environ.get("TIDEOVER_CANARY_MINUTES", "0.6"))


def canary(world, options):
    pods = world.directory("pods")
    loki = world.own(logs.LokiModel(world)).up()
    victoria = world.own(logs.VictoriaLogs(world, world.peer("victoria-logs"))).up()
    urls = {far.name: (f"http://127.0.0.1:{far.port}{far.path}", far.options) for far in (loki, victoria)}
    agent = world.own(LogsAgent(world, urls, files=f"{pods}/*/*/*.log")).up()
    containers = [Container(pods, f"web-{number}", seed=number) for number in range(CONTAINERS)]
    for container in containers:
        container.start()
    outages = (lambda: loki.set(down=True), lambda: loki.set(down=False)), (lambda: victoria.terminate(30), victoria.up)
    deadline = time.monotonic() + 60 * MINUTES
    rounds = 0
    while time.monotonic() < deadline:
        begin, end = outages[rounds % 2]
        begin()
        visitor = Container(pods, f"visitor-{rounds}", seed=1000 + rounds)
        visitor.start()
        time.sleep(3)
        agent.kill()
        world.say("agent killed with -9")
        time.sleep(1)
        agent.up()
        end()
        time.sleep(1)
        agent.reload()
        time.sleep(1)
        visitor.finish()
        time.sleep(2)  # what is read before its files go arrives
        visitor.remove()
        containers.append(visitor)
        rounds += 1
        say_where(world, agent, urls)
    for container in containers[:CONTAINERS]:
        container.finish()
    wait_read(agent, sum(len(container.lines) for container in containers))
    require_once(agent, sum(len(container.lines) for container in containers))
    agent.wait_arrived(60)
    require_ledger(agent, urls)
    rotations = sum(container.rotations for container in containers)
    world.say(f"{len(containers)} containers, {rotations} rotations, {rounds} kills, reloads and outages")
    require_lines(world, "loki", ((labels, line.decode()) for _, labels, _, line in loki.lines()), containers, ordered=True)
    require_lines(world, "victorialogs", ((labels, line) for labels, _, line in victoria.lines()), containers, ordered=False)
    discarded = loki.discarded()
    if discarded["answered"] or discarded["silent"]:
        raise Failure(f"Loki refused lines: {discarded}")


def say_where(world, agent, names):
    read = agent.files()["total"]
    where = "  ".join(f"{name} {agent.account(name)['delivered']} + {agent.account(name)['queued']}" for name in names)
    world.say(f"{where}  lag {read['lag_bytes']} B  missed {read['missed_bytes']} B")


def wait_read(agent, lines):
    """The agent's counts begin with its process, its accounts do not."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if all(agent.account(name)["accepted"] >= lines for name in agent.names()):
            return
        time.sleep(0.2)
    raise Failure(f"of {lines} lines were read: {[agent.account(name)['accepted'] for name in agent.names()]}")


def require_once(agent, lines):
    """Between a file and the spool nothing is doubled, however the agent ended."""
    accepted = {name: agent.account(name)["accepted"] for name in agent.names()}
    if any(count != lines for count in accepted.values()):
        raise Failure(f"{lines} lines were written, and {accepted} were taken in")


def require_lines(world, name, rows, containers, ordered):
    stored = collections.defaultdict(list)
    for labels, line in rows:
        pod, stream = (re.search(f'{key}="([^"]*)"', labels)[1] for key in ("pod", "stream"))
        stored[pod, stream].append(line)
    total = doubled = 0
    for container in containers:
        for stream in ("stdout", "stderr"):
            wanted = [text for of, text in container.lines if of == stream]
            got = stored.pop((container.pod, stream), [])
            missing = set(wanted) - set(got)
            strangers = set(got) - set(wanted)
            if missing or strangers:
                raise Failure(
                    f"{name}, {container.pod} {stream}: {len(missing)} of {len(wanted)} lines are missing, "
                    f"{len(strangers)} are others: {sorted(missing | strangers)[:3]}"
                )
            if ordered and list(dict.fromkeys(got)) != wanted:
                raise Failure(f"{name} was given the lines of {container.pod} {stream} in another order")
            total += len(wanted)
            doubled += len(got) - len(wanted)
    if stored:
        raise Failure(f"{name} holds streams that nobody wrote: {list(stored)[:3]}")
    world.say(f"{name}: {total} lines, none missing, none altered, {doubled} of them again")
