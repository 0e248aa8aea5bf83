"""Mgmt goes away in every way that it can, and comes back: both ends must hold the same samples."""

import time

from harness import network
from harness.process import Failure, wait_for
from harness.rig import Rig

# A file-system sync on a busy machine may take a second; the sender's own pace adds one.
SENDER_LAG_MAX_S = 8


def steady(world, options):
    rig = Rig(world, options).up()
    rig.run_for(20)
    rig.finish()


def receiver_restarts_and_agent_is_killed(world, options):
    rig = Rig(world, options).up()
    rig.wait_delivering()
    rig.kill_agent()
    end_outage = begin_outage(rig)
    for pause in (4, 7, 2):
        rig.run_for(pause)
        rig.kill_agent()
    require_outage(rig)
    end_outage()
    rig.kill_agent()
    rig.wait_delivering()
    rig.run_for(4)
    rig.kill_agent()
    rig.finish()


def long_outage(world, options):
    """Three minutes with five kills: for the record, not for every run."""
    rig = Rig(world, options, series=4000).up()
    end_outage = begin_outage(rig)
    for _ in range(5):
        rig.run_for(30)
        rig.kill_agent()
    rig.run_for(30)
    require_outage(rig)
    end_outage()
    rig.run_for(15)
    rig.finish(seconds=120)


def refused(world, options):
    """Nothing listens: every attempt is refused at once."""
    rig = Rig(world, options).up()
    end_outage = begin_outage(rig)
    rig.run_for(15)
    require_outage(rig)
    end_outage()
    rig.wait_delivering()
    rig.finish()


def packets_dropped(world, options):
    """Packets vanish in both directions, in connections that are already open too; then they do not."""
    island = network.Island(world)
    rig = Rig(world, options, receiver_options={"host": island.host, "prefix": island.inside}).up()
    rig.wait_delivering()
    island.drop()
    world.say("every packet to and from the receiver is dropped")
    rig.run_for(20)
    require_outage(rig)
    island.heal()
    world.say("packets pass again")
    rig.wait_delivering(90)
    rig.finish(seconds=90)


def never_answers(world, options):
    """Something accepts the connection, takes the request, and says nothing."""
    rig = Rig(world, options).up()
    rig.wait_delivering()
    rig.receiver.terminate(70)
    hole = network.BlackHole(world, rig.receiver.write_port)
    world.say("a port that never answers stands in the receiver's place")
    rig.run_for(20)
    require_outage(rig)
    if not hole.accepted:
        raise Failure("the agent never tried the port")
    hole.close()
    rig.receiver.up()
    rig.wait_delivering(90)
    rig.finish(seconds=90)


def name_does_not_resolve(world, options):
    """The receiver has a name that nobody knows, until somebody does."""
    names = network.PrivateNames(world)
    receiver_name = "receiver.tideover.test"
    rig = Rig(
        world,
        options,
        prefix=names.inside,
        url=lambda receiver: f"http://{receiver_name}:{receiver.write_port}{receiver.path}",
    ).up()
    rig.run_for(15)
    require_outage(rig)
    names.resolve(receiver_name, "127.0.0.1")
    world.say("the name resolves")
    rig.wait_delivering(90)
    rig.finish(seconds=90)


def begin_outage(rig):
    """After at least one delivery: the connection is warm. Returns how to end the outage."""
    rig.wait_delivering()
    rig.receiver.terminate(70)
    rig.world.say("the receiver is stopped")

    def end():
        rig.receiver.up()
        rig.world.say("the receiver is back")

    return end


def require_outage(rig):
    """Samples wait in the agent, none is delivered, and the sender does not notice."""
    before = rig.agent.ledger()
    time.sleep(3)
    after = rig.agent.ledger()
    if after["delivered"] != before["delivered"] or not after["queued"]:
        raise Failure(f"this is no outage: {before} became {after}")
    wait_for(
        "the sender to keep up during the outage",
        lambda: time.time() - rig.sender.metric("queue_highest_sent_timestamp_seconds") < SENDER_LAG_MAX_S,
        10,
    )
