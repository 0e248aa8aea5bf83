"""A small file system of our own, to fill up for real."""

import errno
import os
import subprocess

from .network import require_root, sh
from .process import Failure, on_path
from .world import Skip


def require_loop_devices():
    if on_path("mkfs.ext4") is None or on_path("losetup") is None:
        raise Skip("small disks need mkfs.ext4 and losetup")
    if subprocess.run(["losetup", "-f"], capture_output=True).returncode != 0:
        raise Skip("there is no free loop device here")


class SmallDisk:
    """ext4 in a loop-mounted file; gone at the end of the scenario."""

    def __init__(self, world, mebibytes):
        require_root()
        require_loop_devices()
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

    def take(self, used):
        """Another program takes as much as makes this part of the file system used."""
        stat = os.statvfs(self.path)
        size = stat.f_bavail * stat.f_frsize - int((1 - used) * stat.f_blocks * stat.f_frsize)
        with open(self._filler, "ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            os.fsync(file.fileno())

    def free_bytes(self):
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_frsize

    def release(self):
        os.unlink(self._filler)
