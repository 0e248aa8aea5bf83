"""Write requests that are small on the wire and large in memory, and requests that are just too much."""

import os
import time

from harness import protobuf as pb

DECODED_MAX = 32 << 20
V1 = "application/x-protobuf"
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


class Block:
    """A snappy block put together by hand: what is repeated costs three bytes for every 64."""

    def __init__(self):
        self._size = 0
        self._elements = bytearray()

    def literal(self, raw):
        for start in range(0, len(raw), 1 << 24):
            part = raw[start : start + (1 << 24)]
            self._elements += bytes([62 << 2]) + (len(part) - 1).to_bytes(3, "little") + part
        self._size += len(raw)
        return self

    def repeat(self, raw, times):
        """A copy may overlap what it makes: once written, `raw` goes on by itself."""
        self.literal(raw)
        left = len(raw) * (times - 1)
        offset = len(raw).to_bytes(2, "little")
        self._elements += (bytes([63 << 2 | 2]) + offset) * (left // 64)
        if left % 64:
            self._elements += bytes([(left % 64 - 1) << 2 | 2]) + offset
        self._size += left
        return self

    def bytes(self):
        return pb.varint(self._size) + bytes(self._elements)


def head(field, size):
    return pb.varint(field << 3 | 2) + pb.varint(size)


def label(name, value):
    return pb.message(1, pb.text(1, name) + pb.text(2, value))


def sample():
    return pb.message(2, pb.double(1, 1.0) + pb.integer(2, int(time.time() * 1000)))


def one_series_of(part, labels=label("__name__", "bomb"), size=DECODED_MAX):
    """A 1.0 request of one series in which `part` stands as often as 32 MiB hold."""
    times = (size - 1000) // len(part)
    return Block().literal(head(1, len(labels) + times * len(part)) + labels).repeat(part, times).bytes()


def table(*symbols):
    return b"".join(pb.text(4, symbol) for symbol in ("", *symbols))


def refs(*numbers):
    return pb.packed(1, [pb.varint(n) for n in numbers])


def bombs():
    """(name, Content-Type, body): each a megabyte or two, and 32 MiB once decoded; most of them want far more."""
    empty = bytes([0])
    yield "labels", V1, one_series_of(b"\x0a" + empty)
    yield "samples", V1, one_series_of(b"\x12" + empty)
    yield "exemplars", V1, one_series_of(b"\x1a" + empty)
    yield "series", V1, Block().repeat(b"\x0a" + empty, DECODED_MAX // 2 - 8).bytes()
    yield "metadata", V1, Block().repeat(b"\x1a" + empty, DECODED_MAX // 2 - 8).bytes()
    deltas = DECODED_MAX - 100
    outer = label("__name__", "bomb") + head(4, deltas + 5) + head(12, deltas)
    yield "buckets", V1, Block().literal(head(1, len(outer) + deltas) + outer).repeat(empty, deltas).bytes()
    yield "symbols", V2, Block().repeat(b"\x22" + empty, DECODED_MAX // 2 - 8).bytes()
    size = DECODED_MAX - 100
    first = table("__name__", "bomb") + head(5, size + 5) + head(1, size)
    yield "references", V2, Block().literal(first).repeat(b"\x01\x02", size // 2).bytes()
    ref = pb.message(5, refs(1, 2) + sample())
    yield "expansion", V2, Block().literal(table("__name__", "x" * (1 << 20))).repeat(ref, 400_000).bytes()
    faulty = label("__name__", "ok") + sample()
    wide = pb.message(1, label("__name__", "wide") + label("pad", "x" * 60_000) + sample())
    yield "one_fault_in_32_mib", V1, Block().literal(pb.message(1, faulty)).literal(
        pb.message(1, label("job", "nameless") + sample())).repeat(wide, 500).bytes()
    yield "declares_4_gib", V1, pb.varint(0xFFFFFFFF) + b"\x00" * 100
    yield "declares_32_mib", V1, pb.varint(DECODED_MAX) + b"\x00" * 100


def explosions():
    """Valid or nearly so, and much more than anybody sends."""
    yield "100_000_labels", V1, pb.snappy(pb.message(
        1, label("__name__", "wide") + b"".join(label(f"l{i:06}", "x") for i in range(100_000)) + sample()))
    many = b"".join(pb.message(1, label("__name__", f"m{i}") + sample()) for i in range(200_000))
    yield "200_000_series", V1, pb.snappy(many)
    yield "1_000_000_series", V1, Block().repeat(pb.message(1, label("__name__", "m") + pb.message(2, b"")), 1_000_000).bytes()
    long = 10_000_000
    rest = pb.text(1, "__name__") + head(2, long)
    rest = head(1, len(rest) + long) + rest
    start = head(1, len(rest) + long + len(sample())) + rest
    yield "label_of_10_mb", V1, Block().literal(start).repeat(b"x", long).literal(sample()).bytes()
    yield "label_of_10_mb_in_2.0", V2, Block().literal(table("__name__") + head(4, long)).repeat(b"x", long).literal(
        pb.message(5, refs(1, 2) + sample())).bytes()
    # Unsorted, so that it is made anew on the way out; 31 strings of a megabyte, so that 1.0 says much more than 2.0.
    unsorted = pb.message(1, label("job", "x" * 50_000) + label("__name__", "unsorted") + sample())
    yield "32_mib_unsorted", V1, Block().repeat(unsorted, DECODED_MAX // len(unsorted)).bytes()
    ref = pb.message(5, refs(1, 2) + sample())
    yield "31_mib_in_1.0", V2, Block().literal(table("__name__", "x" * (1 << 20))).repeat(ref, 31).bytes()


def noise(size):
    return os.urandom(size)
