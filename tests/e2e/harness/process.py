"""Child processes that cannot outlive the test, free ports, and waiting with deadlines."""

import os
import random
import signal
import socket
import subprocess
import time

# Below Linux' ephemeral range: a port taken from that range could be lost, while its server is down, to somebody's
# outgoing connection; even to the agent's own, which would then be connected to itself.
PORTS = range(20000, 32000)


class Failure(Exception):
    """A promise that did not hold. The message is what a person reads first."""


# Held until this process ends: a scenario beside this one must not take a port whose server is down for a moment.
_reserved = []


def reserve(port):
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0tideover-e2e-port-{port}")
    except OSError:
        name.close()
        return False
    _reserved.append(name)
    return True


def free_port(host="127.0.0.1"):
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            if reserve(port):
                return port
    raise Failure("no free port found")


def wait_for(what, condition, seconds, every=0.1):
    """Returns the first true value of condition(); an OSError counts as not yet."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
            last = value
        except OSError as error:
            last = error
        time.sleep(every)
    raise Failure(f"waited {seconds} s in vain for {what} (last seen: {last})")


class Process:
    """One child. `prefix` puts it into another namespace; the pid stays that of the program itself."""

    def __init__(self, name, argv, log_path, prefix=(), env=None):
        self.name = name
        self.log_path = log_path
        self._prefix = prefix
        self._env = env
        self._child = None
        self.set_argv(argv)

    def set_argv(self, argv):
        self._argv = [*self._prefix, "setpriv", "--pdeathsig", "KILL", *map(str, argv)]

    def start(self):
        assert not self.running(), f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env, start_new_session=True
            )
        return self

    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self):
        return self._child.pid

    def kill(self):
        """kill -9: no chance to flush anything."""
        if self.running():
            self._child.send_signal(signal.SIGKILL)
        if self._child is not None:
            self._child.wait()

    def terminate(self, seconds):
        """SIGTERM; returns the exit code, or fails after the deadline."""
        if not self.running():
            raise Failure(f"{self.name} is not running; see {self.log_path}")
        self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not exit within {seconds} s of SIGTERM; see {self.log_path}") from None

    def wait(self, seconds):
        """Returns the exit code of a program that is expected to end by itself."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds} s; see {self.log_path}") from None

    def signal(self, number):
        self._child.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def wait_ready(self, ready, seconds):
        """Waits for ready(); a child that ends instead is a failure at once."""

        def up():
            if not self.running():
                raise Failure(f"{self.name} ended with code {self._child.returncode}; see {self.log_path}")
            return ready()

        wait_for(f"{self.name} to be ready (log: {self.log_path})", up, seconds)
        return self

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def peak_rss_kib(self):
        """VmHWM: the kernel's high-water mark since this start."""
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
        raise Failure(f"no VmHWM for {self.name}")


def on_path(name):
    for folder in os.environ.get("PATH", "").split(os.pathsep) + ["/usr/sbin", "/sbin", "/usr/bin"]:
        candidate = os.path.join(folder, name)
        if os.access(candidate, os.X_OK):
            return candidate
    return None
