"""Dumps as tsdbdump writes them: read, written and damaged by hand."""

from . import protobuf as pb

STALE_BITS = 0x7FF0000000000002
LABELS, SAMPLES, HISTOGRAMS = 1, 2, 4  # fields of prometheus.TimeSeries
VALUE, TIMESTAMP = 1, 2  # fields of prometheus.Sample
SUM, HISTOGRAM_TIMESTAMP = 3, 15  # fields of prometheus.Histogram


def sample(timestamp_ms, value):
    return pb.double(VALUE, value) + pb.integer(TIMESTAMP, timestamp_ms)


def labels(names_and_values):
    return b"".join(pb.message(LABELS, pb.text(1, n) + pb.text(2, v)) for n, v in sorted(names_and_values.items()))


def series(names_and_values, samples):
    return labels(names_and_values) + b"".join(pb.message(SAMPLES, sample(t, v)) for t, v in samples)


def write(path, bodies):
    with open(path, "wb") as file:
        for body in bodies:
            file.write(pb.delimited(body))
    return path


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    at = 0
    while at < len(content):
        size = shift = 0
        while True:
            byte = content[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield content[at : at + size]
        at += size


def rewrite(body, change):
    """The message with change(field, value) in place of each field; None leaves the field out."""
    out = b""
    for field, kind, value in pb.fields(body):
        value = change(field, value)
        if value is None:
            continue
        key = pb.varint(field << 3 | kind)
        out += key + (pb.varint(value) if kind == 0 else value if kind == 1 else pb.varint(len(value)) + value)
    return out


def part(body, field):
    return next((value for f, _, value in pb.fields(body) if f == field), None)
