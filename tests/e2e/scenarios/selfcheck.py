"""The proof machinery itself, without the agent: a real sender straight into a real receiver is the same on both ends,
and a single wrong sample on one end is seen."""

import struct
import time

from harness import comparison, dumps, servers
from harness.process import Failure
from harness.rig import make_receiver, require_variety


def comparator(world, options):
    receiver = make_receiver(world, options).up()
    exporter = world.own(servers.Exporter(world, series=200)).up()
    url = receiver.api + receiver.path
    sender = world.own(
        servers.Sender(world, world.peer("prometheus"), exporter, url, options.sender, headers=receiver.headers)
    ).up()
    time.sleep(15)
    end = time.time()
    sender.wait_sent(end + 2, 30)
    window = {"to_ms": int(end * 1000)}

    if options.receiver == "prometheus":
        require_variety(comparison.require_same(world, sender.api, receiver.api, **window))
    sender.terminate(70)
    receiver.terminate(70)
    sent = comparison.dump(world, sender.data, "sender")
    received = comparison.dump(world, receiver.tsdb, "receiver")
    require_variety(comparison.require_same(world, sent, received, **window))

    for name, damage in DAMAGES.items():
        doctored = damage_once(world, received, damage, window["to_ms"])
        report = comparison.compare(world, sent, doctored, **window)
        world.say(f"{name}: {comparison.describe(report)}")
        if report["same"] or report["missing"] + report["altered"] != 1:
            raise Failure(f"the comparator did not see {name}")


def damage_once(world, path, damage, to_ms):
    """A copy of the dump in which `damage` has changed the first sample of the window that it applies to."""
    done = False

    def change(field, value):
        nonlocal done
        if done or field not in (dumps.SAMPLES, dumps.HISTOGRAMS):
            return value
        time_field = dumps.TIMESTAMP if field == dumps.SAMPLES else dumps.HISTOGRAM_TIMESTAMP
        if dumps.part(value, time_field) > to_ms or not damage.applies(field, value):
            return value
        done = True
        return damage.result(value)

    bodies = [body if done else dumps.rewrite(body, change) for body in dumps.read(path)]
    if not done:
        raise Failure("the dump holds nothing to damage")
    return dumps.write(path + ".damaged", bodies)


class Removed:
    def __init__(self, stale):
        self._stale = stale

    def applies(self, field, value):
        stale = struct.pack("<Q", dumps.STALE_BITS)
        return field == dumps.SAMPLES and (dumps.part(value, dumps.VALUE) == stale) == self._stale

    def result(self, value):
        return None


class Flipped:
    """The lowest bit of a float, or of a histogram's sum."""

    def __init__(self, field, value_field):
        self._field, self._value_field = field, value_field

    def applies(self, field, value):
        return field == self._field and dumps.part(value, self._value_field) is not None

    def result(self, value):
        def flip(field, inner):
            return bytes([inner[0] ^ 1]) + inner[1:] if field == self._value_field else inner

        return dumps.rewrite(value, flip)


DAMAGES = {
    "one flipped bit": Flipped(dumps.SAMPLES, dumps.VALUE),
    "one missing sample": Removed(stale=False),
    "one missing stale marker": Removed(stale=True),
    "one altered histogram": Flipped(dumps.HISTOGRAMS, dumps.SUM),
}
