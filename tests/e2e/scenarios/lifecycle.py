"""Stopping and starting while mgmt is away."""

from harness.process import Failure
from harness.rig import Rig
from harness.tideover import Tideover
from scenarios.outages import begin_outage, require_outage

STOP_SECONDS_MAX = 15
REFUSED = 1


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
