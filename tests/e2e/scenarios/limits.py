"""Full budgets, full disks, and a receiver whose time window refuses what waited too long."""

import time

from harness import comparison, network
from harness.disk import SmallDisk
from harness.process import Failure, wait_for
from harness.rig import Rig
from harness.writer import Writer
from scenarios.outages import begin_outage

OLD_MS = int(2.5 * 3600 * 1000)


def old_samples_are_parked(world, options):
    """Without an out-of-order window the receiver refuses samples of 2.5 h ago once it has seen one of now. Fresh
    samples keep flowing; the old ones are kept, shown, and arrive once the receiver has a window."""
    rig = Rig(world, options, receiver_options={"window": "0s"})
    rig.receiver.up()
    another = Writer(rig.receiver.write_port, rig.receiver.path, headers=rig.receiver.headers)
    another.write({"__name__": "another_writer"}, [(now_ms(), 1.0)])
    rig.up(receiver=False)
    rig.wait_delivering()

    old = Writer(rig.agent.port)
    first = now_ms() - OLD_MS
    for series in range(40):
        samples = [(first + 1000 * i, series + i / 16) for i in range(50)]
        old.write({"__name__": "old_tide", "series": str(series)}, samples)
    written = 40 * 50
    wait_for("the old samples to be parked", lambda: rig.agent.ledger()["parked"] == written, 60)
    if rig.agent.destination()["parked_samples"] != written:
        raise Failure(f"the status does not show what is parked: {rig.agent.destination()}")
    rig.progress()
    rig.wait_delivering()
    if rig.agent.ledger()["parked"] != written:
        raise Failure(f"parked samples went away: {rig.agent.ledger()}")
    world.say("fresh samples flow while the old ones are parked")

    rig.receiver.terminate(70)
    rig.receiver.set_window("4h")
    rig.receiver.up()
    rig.agent.replay_parked()
    wait_for("the parked samples to be taken", lambda: rig.agent.ledger()["parked"] == 0, 90)
    rig.progress()
    rig.finish(allow_extra=True)
    received = comparison.dump(world, rig.receiver.tsdb, "receiver")
    comparison.require_same(world, old.dump(world, "old"), received, allow_extra=True)


def budget_is_full(world, options):
    """The buffer's bytes are used up: Prometheus is told to wait, keeps its data, and nothing is missing."""
    rig = Rig(world, options, series=4000, max_bytes="2MiB").up()
    end_outage = begin_outage(rig)
    wait_until_refused(rig, 120)
    rig.run_for(8)
    end_outage()
    wait_until_accepted(rig)
    rig.finish(seconds=120)


def disk_is_full(world, options):
    """A file system without a free byte: intake refuses, what is stored is delivered meanwhile, and intake returns
    with the space."""
    disk = SmallDisk(world, 160)
    rig = Rig(world, options, data=f"{disk.path}/buffer").up()
    end_outage = begin_outage(rig)
    rig.run_for(8)
    disk.fill()
    world.say(f"the disk is full: {disk.free_bytes()} bytes are free")
    wait_until_refused(rig, 60)
    stored = rig.agent.ledger()
    end_outage()
    wait_for(
        "what is stored to be delivered from a full disk",
        lambda: rig.agent.ledger()["delivered"] >= stored["delivered"] + stored["queued"],
        60,
    )
    rig.progress()
    disk.release()
    world.say("the disk has room again")
    wait_until_accepted(rig)
    rig.finish(seconds=120)


def wait_until_refused(rig, seconds):
    """503, which makes Prometheus try again; never 429, which makes it drop."""
    wait_for("intake to refuse", lambda: answers(rig, 503) > 0, seconds)
    wait_for("the sender to try again", lambda: rig.sender.metric("samples_retried_total") > 0, 30)
    if answers(rig, 429):
        raise Failure("the agent answered 429")
    rig.world.say("intake answers 503, the sender tries again")
    rig.progress()


def wait_until_accepted(rig):
    before = rig.agent.ledger()["accepted"]
    wait_for("intake to accept again", lambda: rig.agent.ledger()["accepted"] > before, 60)
    rig.world.say("intake accepts again")


def answers(rig, code):
    return rig.agent.metric("tideover_receive_requests_total", f'code="{code}"')


def now_ms():
    return int(time.time() * 1000)
