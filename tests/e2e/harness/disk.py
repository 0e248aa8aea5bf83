"""A small file system of our own, to fill up for real."""

import errno
import os
import subprocess

from .network import require_root, sh
from .process import Failure


class SmallDisk:
    """ext4 in a loop-mounted file; gone at the end of the scenario."""

    def __init__(self, world, mebibytes):
        require_root()
        self._world, self._frozen = world, False
        image = world.file("disk.img", "")
        os.truncate(image, mebibytes << 20)
        sh("mkfs.ext4", "-q", "-m", "0", image)
        self.path = world.directory("disk")
        sh("mount", "-o", "loop", image, self.path)
        world.at_end(subprocess.run, ["umount", "--lazy", self.path])
        self._filler = os.path.join(self.path, "filler")

    def freeze(self):
        """Every write and sync waits in the kernel from now on."""
        sh("fsfreeze", "--freeze", self.path)
        self._frozen = True
        self._world.at_end(self.thaw)

    def thaw(self):
        if self._frozen:
            sh("fsfreeze", "--unfreeze", self.path)
        self._frozen = False

    def fill(self):
        """Another program takes every last block."""
        with open(self._filler, "ab", buffering=0) as file:
            size = 1 << 20
            while size >= 1:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise Failure(f"filling the disk: {error}") from error
                    size //= 2
            os.fsync(file.fileno())

    def free_bytes(self):
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_frsize

    def release(self):
        os.unlink(self._filler)
