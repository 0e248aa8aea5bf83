"""Networks and names under the test's control: a namespace whose packets can be dropped, a receiver that never
answers, a port that refuses, a name that does not resolve until it does. All need root or leave the host as it was."""

import itertools
import os
import socket
import subprocess
import threading

from .process import Failure, free_port
from .world import Skip

COUNTER = itertools.count()


def require_root():
    if os.geteuid() != 0:
        raise Skip("namespaces and mounts need root")


def sh(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


class Island:
    """A network namespace joined to the host by one pair of interfaces, from 198.18.0.0/15 (RFC 2544: never routed).
    drop() silently discards every packet, in connections that are already open too; slow_down() makes it a slow line."""

    def __init__(self, world):
        require_root()
        number = os.getpid() * 4 + next(COUNTER)
        self.name = f"tideover-{number}"
        outer, inner = f"td{number}o", f"td{number}i"
        # Four addresses per island, out of 2^15 groups.
        block = (number % (1 << 15)) * 4
        base = f"198.{18 + (block >> 16)}.{block >> 8 & 255}"
        outside, self.host = f"{base}.{block + 1 & 255}", f"{base}.{block + 2 & 255}"
        sh("ip", "netns", "add", self.name)
        world.at_end(subprocess.run, ["ip", "netns", "del", self.name])
        sh("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.name)
        sh("ip", "addr", "add", f"{outside}/30", "dev", outer)
        sh("ip", "link", "set", outer, "up")
        sh(*self.inside, "ip", "addr", "add", f"{self.host}/30", "dev", inner)
        sh(*self.inside, "ip", "link", "set", inner, "up")
        sh(*self.inside, "ip", "link", "set", "lo", "up")
        self._outer = outer

    @property
    def inside(self):
        """Prefix of a command that is to run in the namespace."""
        return ["ip", "netns", "exec", self.name]

    def drop(self):
        sh(*self.inside, "iptables", "-I", "INPUT", "-j", "DROP")
        sh(*self.inside, "iptables", "-I", "OUTPUT", "-j", "DROP")

    def slow_down(self, kbit):
        """What goes to the island leaves at this rate; what does not fit waits, up to a second's worth."""
        rate = f"{kbit}kbit"
        sh("tc", "qdisc", "replace", "dev", self._outer, "root", "tbf", "rate", rate, "burst", "16kb", "latency", "1s")

    def heal(self):
        sh(*self.inside, "iptables", "-F")


class PrivateNames:
    """/etc/hosts and /etc/resolv.conf of one process: bind mounts in a mount namespace of its own."""

    def __init__(self, world):
        require_root()
        self._hosts = world.file("hosts", "127.0.0.1 localhost\n")
        # A resolver that refuses at once; the host's own never sees the name.
        self._resolv = world.file("resolv.conf", "nameserver 127.255.255.254\noptions timeout:1 attempts:1\n")

    @property
    def inside(self):
        mounts = f"mount --bind {self._hosts} /etc/hosts && mount --bind {self._resolv} /etc/resolv.conf"
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    def resolve(self, name, address):
        # Appended in place: the bind mount follows the inode.
        with open(self._hosts, "a") as file:
            file.write(f"{address} {name}\n")

    def forget(self):
        with open(self._hosts, "r+") as file:
            file.write("127.0.0.1 localhost\n")
            file.truncate()


class BlackHole:
    """Accepts every connection, reads everything, answers nothing."""

    def __init__(self, world, port=None):
        self.port = port or free_port()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._connections = []
        self.accepted = 0
        world.at_end(self.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._connections.append(connection)
            threading.Thread(target=self._swallow, args=(connection,), daemon=True).start()

    @staticmethod
    def _swallow(connection):
        try:
            while connection.recv(1 << 16):
                pass
        except OSError:
            pass

    def close(self):
        # shutdown() first: close() alone does not wake the thread in accept(), which would keep the port.
        for each in [self._listener, *self._connections]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
