"""Lines that clients push, to a strict model of Loki and to real VictoriaLogs, through kills and outages: each line
arrives, unaltered and in the order of its stream."""

import collections
import re
import time

from harness import http, logs
from harness.process import Failure, wait_for
from harness.pushers import Pusher
from harness.tideover import Tideover

CLIENTS = 6


class LogsAgent(Tideover):
    """One with the section logs, and the far ends by name."""

    def __init__(self, world, urls, files=None):
        self._urls, self._files = urls, files
        super().__init__(world, "")

    def configure(self):
        destinations = "".join(f"    - {{name: {name}, url: '{url}', {more}}}\n" for name, (url, more) in self._urls.items())
        files = f"files: [{self._files}]" if self._files else ""
        self.write_config(f"""
cluster: e2e
node: {self.name}
data_dir: {self.data}
disk: {{keep_free: 0%}}
admin: {{listen: "{self.host}:{self.admin_port}"}}
logs:
  {files}
  listen: "{self.host}:{self.port}"
  max_bytes: 1GiB
  destinations:
{destinations}""")

    def names(self):
        return list(self._urls)

    def files(self):
        """What it read, of the process that runs: total, largest, rest, gone."""
        return http.get_json(self.admin_port, "/api/v1/status/logs", self.host)["files"]

    def account(self, destination):
        return self.ledger(destination, "logs")

    def wait_arrived(self, seconds):
        drained = lambda: all(self.account(name)["queued"] == 0 for name in self._urls)
        wait_for("the agent to drain", drained, seconds)


def pushed_through_kills_and_outages(world, options):
    loki = world.own(logs.LokiModel(world)).up()
    victoria = world.own(logs.VictoriaLogs(world, world.peer("victoria-logs"))).up()
    urls = {far.name: (f"http://127.0.0.1:{far.port}{far.path}", far.options) for far in (loki, victoria)}
    agent = world.own(LogsAgent(world, urls)).up()
    clients = [Pusher(agent.port, number, ("json", "protobuf")[number % 2]) for number in range(CLIENTS)]
    for client in clients:
        client.start()

    def run_for(seconds):
        time.sleep(seconds)
        world.say("  ".join(f"{name} {agent.account(name)['delivered']} + {agent.account(name)['queued']}" for name in urls))

    def kill():
        agent.kill()
        world.say("agent killed with -9")
        agent.up()

    run_for(3)
    kill()
    loki.set(down=True)
    run_for(4)
    kill()
    victoria.terminate(30)  # killed, it would lose what it has acknowledged and not written yet
    run_for(4)
    kill()
    loki.set(down=False, fails_after_storing=True)
    run_for(2)
    loki.set(fails_after_storing=False)
    kill()
    victoria.up()
    run_for(3)
    kill()
    for client in clients:
        if not client.finish():
            raise Failure(f"a client could not push what it had: {client.labels}")
        if client.refusals:
            raise Failure(f"a push was refused: {client.refusals[0]}")
    agent.wait_arrived(60)
    require_ledger(agent, urls)
    taken = {client.labels["client"]: client.taken for client in clients}
    repeats = sum(client.repeats for client in clients)
    world.say(f"{sum(map(len, taken.values()))} lines were taken, {repeats} pushes were repeated")
    require_all(world, "loki", by_client((labels, line.decode()) for _, labels, _, line in loki.lines()), taken, in_order=True)
    require_all(world, "victorialogs", by_client((labels, line) for labels, _, line in victoria.lines()), taken, in_order=False)
    discarded = loki.discarded()
    if discarded["answered"] or discarded["silent"]:
        raise Failure(f"Loki refused lines: {discarded}")


def require_ledger(agent, names):
    for name in names:
        account = agent.account(name)
        lost = sum(account["rejected"].values()) + sum(account["dropped"].values())
        if not account["in_balance"] or lost:
            raise Failure(f"the account of {name} is not that of a flow without loss: {account}")


def by_client(rows):
    lines = collections.defaultdict(list)
    for labels, line in rows:
        lines[re.search(r'client="(\d+)"', labels)[1]].append(line)
    return lines


def require_all(world, name, stored, taken, in_order):
    """What was answered 204 is there; more only of what was pushed without an answer."""
    doubled = 0
    for client, lines in taken.items():
        counts = collections.Counter(stored[client])
        missing = [line for line in lines if not counts[line]]
        if missing:
            raise Failure(f"{name} lacks {len(missing)} of {len(lines)} lines of client {client}: {missing[0][:80]!r}")
        known = set(lines)
        strangers = [line for line in counts if line not in known]
        if strangers:
            raise Failure(f"{name} holds what client {client} did not push: {strangers[0][:80]!r}")
        doubled += sum(counts.values()) - len(counts)
        if in_order and first_places(stored[client]) != lines:
            raise Failure(f"{name} was given the lines of client {client} in another order")
    world.say(f"{name}: {sum(map(len, stored.values()))} lines, none missing, none altered, {doubled} of them again")


def first_places(lines):
    return list(dict.fromkeys(lines))
