#!/usr/bin/env python3
"""Sums up a perf.data by concern: bench/profile.py perf.data [top]

Each sample is given to the first concern whose pattern matches a frame, looking from the innermost frame outwards: the
kernel's TCP below our send() is network, the same code below fdatasync() would be disk. Shares are of CPU time.
"""
import collections
import re
import subprocess
import sys

# In this order within a frame; the first match of the innermost matching frame wins.
CONCERNS = [
    ("snappy", r"snappy::"),
    ("scan", r"remote_write::(?!merge|decompress|compress)"),
    ("merge", r"remote_write::merge"),
    ("checksum", r"XXH|crc32|Crc32"),
    ("kernel: network send", r"^(tcp_sendmsg|__sys_sendmsg|__x64_sys_sendmsg|sock_sendmsg|inet_sendmsg|____sys_sendmsg)"),
    ("kernel: network receive", r"^(tcp_recvmsg|__sys_recvmsg|__x64_sys_recvmsg|sock_recvmsg|inet_recvmsg|____sys_recvmsg|__x64_sys_recvfrom|__sys_recvfrom)"),
    ("kernel: sync to disk", r"^(do_fsync|__x64_sys_fdatasync|ext4_sync_file|vfs_fsync_range)"),
    ("kernel: write to file", r"^(vfs_write|ksys_write|__x64_sys_write|vfs_writev|ext4_file_write_iter|ksys_pwrite64)"),
    ("kernel: epoll", r"^(__x64_sys_epoll|do_epoll|ep_poll)"),
    ("kernel: futex", r"^(__x64_sys_futex|do_futex)"),
    ("kernel: page faults", r"^(asm_exc_page_fault|exc_page_fault|do_user_addr_fault)"),
    ("kernel: memory calls", r"^(__x64_sys_(munmap|mmap|madvise|brk|mprotect))"),
    ("kernel: eventfd", r"^eventfd_"),
    ("RocksDB write", r"rocksdb::(DBImpl::Write|WriteBatch|MemTable|log::Writer|WritableFileWriter|InlineSkipList|DBImpl::PreprocessWrite)"),
    ("RocksDB background", r"rocksdb::(FlushJob|CompactionJob|DBImpl::Background|BuildTable)"),
    ("RocksDB other", r"rocksdb::"),
    ("queue", r"tideover::wal::"),
    ("sending", r"tideover::(forward|thanos)::"),
    ("HTTP out", r"tideover::http::"),
    ("HTTP in", r"tideover::server::"),
    ("intake", r"tideover::ingest::"),
    ("Asio", r"boost::asio::"),
]
PATTERNS = [(name, re.compile(pattern)) for name, pattern in CONCERNS]
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)? \((\S+)\)$")


def samples(path):
    text = subprocess.run(["perf", "script", "-i", path, "-F", "comm,ip,sym,symoff,dso"], capture_output=True,
                          text=True, check=True).stdout
    for block in text.split("\n\n"):
        lines = block.strip("\n").split("\n")
        frames = [match.group(1) for match in map(FRAME.match, lines[1:]) if match]
        if frames:
            yield lines[0].split()[0], frames


def concern_of(frames):
    for frame in frames:
        for name, pattern in PATTERNS:
            if pattern.search(frame):
                return name
    return "other"


def table(title, counter, total, rows):
    print(f"\n{title}")
    for name, count in counter.most_common(rows):
        print(f"  {100 * count / total:5.1f} %  {name}")


def main():
    path, rows = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    concerns, symbols, threads = collections.Counter(), collections.Counter(), collections.Counter()
    allocator = 0
    for thread, frames in samples(path):
        concerns[concern_of(frames)] += 1
        symbols[f"{frames[0][:110]}  [{concern_of(frames)}]"] += 1
        threads[thread] += 1
        allocator += bool(re.match(r"^(operator new|operator delete|malloc|free|_int_|cfree|realloc|calloc)", frames[0]))
    total = sum(concerns.values())
    table("By concern", concerns, total, 99)
    print(f"  ({100 * allocator / total:.1f} % of all are spent in the allocator itself, on behalf of the above)")
    table("By thread", threads, total, 99)
    table("By innermost function", symbols, total, rows)


if __name__ == "__main__":
    main()
