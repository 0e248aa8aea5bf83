"""Just enough of the protobuf and snappy formats to write requests, expositions and dumps by hand."""

import struct


def varint(value):
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return varint(value << 1 ^ value >> 63)


def integer(field, value):
    return varint(field << 3) + varint(value)


def signed(field, value):
    return varint(field << 3) + zigzag(value)


def double(field, value):
    """A float, or its bits as an int where a NaN's payload matters."""
    body = struct.pack("<Q", value) if isinstance(value, int) else struct.pack("<d", value)
    return varint(field << 3 | 1) + body


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


def text(field, value):
    return message(field, value.encode())


def packed(field, items):
    return message(field, b"".join(items))


def delimited(body):
    return varint(len(body)) + body


def snappy(raw):
    """A valid block of literals only: 60 in the tag's length field means one byte of length follows, 61 two, 62 three."""
    out = bytearray(varint(len(raw)))
    for start in range(0, len(raw), 1 << 24):
        part = raw[start : start + (1 << 24)]
        out += bytes([62 << 2]) + struct.pack("<I", len(part) - 1)[:3] + part
    return bytes(out)


def fields(body):
    """Yields (field, wire type, value) of one message; enough to rewrite a dump."""
    at = 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = body[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(body):
        key = read_varint()
        field, kind = key >> 3, key & 7
        if kind == 0:
            yield field, kind, read_varint()
        elif kind == 1:
            yield field, kind, body[at : at + 8]
            at += 8
        elif kind == 2:
            size = read_varint()
            yield field, kind, body[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {kind} is not used here")
