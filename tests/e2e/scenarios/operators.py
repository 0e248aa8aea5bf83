"""What operators do to a running agent by mistake, and undo."""

from harness.process import Failure, wait_for
from harness.rig import Rig
from scenarios.outages import begin_outage, require_outage

SECONDS = 60


def renames_a_destination_in_an_outage(world, options):
    """Its backlog stays where it is and does not grow, a kill included; the new name collects what comes. Once that has
    been delivered the old name is put back: it delivers what it had, and the new one is forgotten."""
    rig = Rig(world, options).up()
    end_outage = begin_outage(rig)
    rig.run_for(8)
    require_outage(rig)
    rig.agent.configure(destination="other")
    rig.agent.reload()
    rig.agent.wait_image(2)
    left, accepted = rig.agent.destination(), rig.agent.ledger()["accepted"]
    if left["state"] != "detached" or not left["backlog_samples"]:
        raise Failure(f"the old name is {left}")
    world.say(f"renamed: {left['backlog_samples']} samples stay with the old name")
    wait_for("the new name to collect", lambda: rig.agent.destination("other")["backlog_samples"] > 1000, SECONDS)
    rig.agent.kill()
    rig.agent.up()
    now = rig.agent.destination()
    if now["backlog_samples"] != left["backlog_samples"]:
        raise Failure(f"what the old name has was {left}, and is {now}")
    end_outage()
    wait_for("the new name to deliver", lambda: rig.agent.ledger("other")["delivered"] > 0, SECONDS)
    end = rig.stop_sender(SECONDS)
    wait_for("the new name to drain", lambda: rig.agent.ledger("other")["queued"] == 0, SECONDS)
    rig.agent.configure()
    rig.agent.reload()
    rig.agent.wait_image(4)
    rig.agent.wait_drained(SECONDS)
    if rig.agent.ledger()["accepted"] != accepted:
        raise Failure(f"the old name took more than it had: {rig.agent.ledger()}")
    if rig.agent.destination("other") is not None:
        raise Failure("the new name has nothing left, and is still there")
    rig.require_same_ends(end)

