"""The table of questions to a remote_write receiver: what Prometheus answers, what the agent answers, and why where they
differ on purpose. `python3 -B tests/e2e/hostile/answers.py` writes tests/data/answers.json from it, which is what the unit
test reads; the scenario "answers" asks a real Prometheus and the real agent."""

import json
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import protobuf as pb  # noqa: E402

T0 = 1_700_000_000_000
STALE = 0x7FF0000000000002
V1 = "application/x-protobuf"
V1_NAMED = "application/x-protobuf;proto=prometheus.WriteRequest"
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"

CASES = []

# Why the agent differs on purpose. docs/INTAKE.md gives the reasons at length.
RELAY = "the agent takes any time and order: its receiver decides what fits"
STRICTER = "the specification asks for it, and the receiver behind the agent may refuse it"
SAFE_REST = "the valid rest is stored, because the sender drops the whole request"
WORDS = "the status says what is wrong"
HTTP = "HTTP says that case and spaces do not matter here"
WHOLE = "a series is kept whole or not at all"


def case(name, body, ours, prometheus, kind=V1, encoding="snappy", stored=None, theirs=None, written=None, why=None,
         compressed=None, headers=None):
    """`ours` and `prometheus` are statuses; `stored` and `theirs` say how many samples and histograms are kept, by default
    none unless the answer is 2xx, and then as many as the agent keeps; `written` are the agent's three counts for 2.0."""
    stored = stored if stored is not None else (1 if ours == 204 else 0)
    theirs = theirs if theirs is not None else (stored if prometheus // 100 == 2 else 0)
    CASES.append({
        "name": name, "content_type": kind, "content_encoding": encoding, "headers": headers or {},
        "body": (pb.snappy(body) if compressed is None else compressed).hex(),
        "status": ours, "stored": stored, "written": written,
        "prometheus_status": prometheus, "prometheus_stored": theirs, "why": why,
    })


# ---- the messages ----

def label(name, value):
    return pb.message(1, pb.message(1, as_bytes(name)) + pb.message(2, as_bytes(value)))


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def sample(at=T0, value=1.0):
    return pb.double(1, value) + pb.integer(2, at)


def series1(labels, *parts):
    return pb.message(1, b"".join(label(n, v) for n, v in labels) + b"".join(parts))


def named(name, *more):
    return [("__name__", name), *more]


def s1(at=T0, value=1.0):
    return pb.message(2, sample(at, value))


def h1(*args, **kw):
    return pb.message(4, histogram(*args, **kw))


def e1(labels, at=T0, value=1.0, timestamp=True):
    body = b"".join(label(n, v) for n, v in labels) + pb.double(2, value)
    return pb.message(3, body + (pb.integer(3, at) if timestamp else b""))


def span(offset, length):
    return pb.signed(1, offset) + pb.integer(2, length)


def deltas(field, values):
    return pb.packed(field, [pb.zigzag(v) for v in values])


def floats(field, values):
    return pb.packed(field, [struct.pack("<d", v) for v in values])


def histogram(at=T0, count=12, total=18.5, schema=1, threshold=0.001, zero=2, spans=((0, 2), (1, 1)), buckets=(3, 1, -1),
              negative_spans=(), negative=(), custom=(), is_float=False, both_counts=False, hint=0):
    body = b""
    if both_counts or not is_float:
        body += pb.integer(1, int(count))
    if both_counts or is_float:
        body += pb.double(2, float(count))
    body += pb.double(3, total) + pb.signed(4, schema) + pb.double(5, threshold)
    body += pb.double(7, float(zero)) if is_float else pb.integer(6, zero)
    body += b"".join(pb.message(8, span(*s)) for s in negative_spans)
    if negative:
        body += floats(10, negative) if is_float else deltas(9, negative)
    body += b"".join(pb.message(11, span(*s)) for s in spans)
    if buckets:
        body += floats(13, buckets) if is_float else deltas(12, buckets)
    body += pb.integer(14, hint) + pb.integer(15, at)
    return body + (floats(16, custom) if custom else b"")


class Symbols:
    def __init__(self, first=""):
        self.all = [as_bytes(first)]

    def ref(self, text):
        text = as_bytes(text)
        if text not in self.all:
            self.all.append(text)
        return self.all.index(text)

    def refs(self, labels):
        return [r for n, v in labels for r in (self.ref(n), self.ref(v))]


def v2(*series, first="", table=True):
    """Each series is (labels or list of references, parts)."""
    symbols = Symbols(first)
    body = b""
    for labels, *parts in series:
        refs = labels if labels and isinstance(labels[0], int) else symbols.refs(labels)
        packed = pb.packed(1, [pb.varint(r) for r in refs]) if refs else b""
        body += pb.message(5, packed + b"".join(part(symbols) if callable(part) else part for part in parts))
    return (b"".join(pb.message(4, s) for s in symbols.all) if table else b"") + body


def s2(at=T0, value=1.0, start=0):
    return pb.message(2, sample(at, value) + (pb.integer(3, start) if start else b""))


def h2(*args, **kw):
    return pb.message(3, histogram(*args, **kw))


def e2(labels=(), at=T0, refs=None):
    def make(symbols):
        numbers = refs if refs is not None else symbols.refs(labels)
        return pb.message(4, pb.packed(1, [pb.varint(r) for r in numbers]) + pb.double(2, 1.0) + pb.integer(3, at))

    return make


def m2(kind=1, help_ref=0, unit_ref=0):
    return pb.message(5, pb.integer(1, kind) + pb.integer(3, help_ref) + pb.integer(4, unit_ref))


# ---- the questions ----

def negotiation():
    def one():
        return series1(named("type", ("case", str(len(CASES)))), s1())

    case("1.0", one(), 204, 204)
    case("1.0, named", one(), 204, 204, kind=V1_NAMED)
    case("1.0, with a space and another parameter", one(), 204, 204, kind="application/x-protobuf; charset=utf-8")
    case("1.0, in capitals", one(), 204, 415, kind="Application/X-Protobuf", why=HTTP)
    case("no Content-Type", one(), 204, 204, kind=None)
    case("application/json", one(), 415, 415, kind="application/json")
    case("image/png", one(), 415, 415, kind="image/png")
    case("an unknown message", one(), 415, 415, kind="application/x-protobuf;proto=io.prometheus.write.v3.Request")
    case("gzip", one(), 415, 415, encoding="gzip")
    case("deflate", one(), 415, 415, encoding="deflate")
    case("zstd", one(), 415, 415, encoding="zstd")
    case("identity", one(), 415, 415, encoding="identity")
    case("SNAPPY", one(), 204, 415, encoding="SNAPPY", why=HTTP)
    case("no Content-Encoding", one(), 204, 204, encoding=None)
    case("an unknown version in the header", one(), 204, 204, headers={"X-Prometheus-Remote-Write-Version": "9.9"})
    def two():
        return v2((named("type2", ("case", str(len(CASES)))), s2()))

    case("2.0", two(), 204, 204, kind=V2, written=[1, 0, 0])
    case("2.0, with a space", two(), 204, 204, kind=V2.replace(";", "; "), written=[1, 0, 0], theirs=0, why=HTTP)
    case("2.0, but the header says 0.1.0", two(), 204, 204, kind=V2, written=[1, 0, 0],
         headers={"X-Prometheus-Remote-Write-Version": "0.1.0"})
    case("2.0 announced as 1.0", two(), 204, 204, kind=V1, stored=0)
    case("1.0 announced as 2.0", one(), 204, 204, kind=V2, stored=0, written=[0, 0, 0])


def bodies():
    one = series1(named("body"), s1())
    case("an empty body", b"", 400, 400, compressed=b"")
    case("an empty message of 1.0", b"", 204, 204, stored=0)
    case("an empty message of 2.0", b"", 204, 204, kind=V2, stored=0, written=[0, 0, 0])
    case("not snappy", b"", 400, 400, compressed=b"\xff\xff\xff\xff\xff\xff")
    case("snappy frames instead of a block", b"", 400, 400, compressed=b"\xff\x06\x00\x00sNaPpY")
    case("cut short", b"", 400, 400, compressed=pb.snappy(one)[:-3])
    case("bytes behind the block", b"", 400, 400, compressed=pb.snappy(one) + b"\x00")
    case("not compressed", b"", 400, 400, compressed=one)
    case("not a message", b"\xff\xff\xff", 400, 400)
    case("not a message of 2.0", b"\xff\xff\xff", 400, 400, kind=V2, written=[0, 0, 0])
    case("a declared length of 4 GiB", b"", 413, 400, compressed=b"\xff\xff\xff\xff\x0f" + b"\x00" * 20, why=WORDS)
    case("a declared length of 33 MiB", b"", 413, 400, compressed=pb.varint(33 << 20) + b"\x00" * 20, why=WORDS)
    case("an unknown field", one + pb.text(9, "from the future"), 204, 204)
    case("a known field of another type", one + pb.integer(1, 5), 400, 400)


def labels1():
    def ask(name, labels, ours, prometheus, **kw):
        case(f"1.0: {name}", series1(labels, s1()), ours, prometheus, **kw)

    ask("unsorted labels", [("z", "1"), ("__name__", "unsorted"), ("a", "1")], 204, 204)
    ask("no labels", [], 400, 204, theirs=0, why=STRICTER)
    ask("no __name__", [("job", "nameless")], 400, 204, theirs=0, why=STRICTER)
    ask("an empty __name__", named(""), 400, 204, why=STRICTER)
    ask("an empty label name", named("empty_name", ("", "x")), 400, 204, why=STRICTER)
    ask("an empty label value", named("empty_value", ("job", "")), 400, 204, theirs=1, why=STRICTER)
    ask("a label name twice, same value", named("twice", ("job", "a"), ("job", "a")), 400, 204, theirs=0, why=STRICTER)
    ask("a label name twice, apart", named("twice", ("job", "a"), ("x", "b"), ("job", "c")), 400, 204, theirs=0, why=STRICTER)
    ask("a label name in UTF-8", named("utf8", ("größe", "x")), 204, 204)
    ask("a metric name in UTF-8", named("größe in m²"), 204, 204)
    ask("a label name that is not UTF-8", named("bytes", ("\xff".encode("latin1"), "x")), 400, 204, why=STRICTER)
    ask("a label value that is not UTF-8", named("bytes", ("job", b"\xc3\x28")), 400, 204, why=STRICTER)
    ask("a metric name that is not UTF-8", named(b"\xff"), 400, 204, why=STRICTER)
    ask("a line break and a zero byte in a value", named("odd", ("job", "a\nb\0c")), 204, 204)
    good = series1(named("good", ("case", "beside a faulty series")), s1())
    case("1.0: a valid series beside one without __name__", good + series1([("job", "nameless too")], s1()), 400, 204, stored=1,
         theirs=1, why=SAFE_REST)
    good = series1(named("good", ("case", "beside one twice labelled")), s1())
    case("1.0: a valid series beside one twice labelled", good + series1(named("twice", ("a", "1"), ("a", "2")), s1(T0 + 1)),
         400, 204, stored=1, theirs=1, why=SAFE_REST)


def labels2():
    def ask(name, labels, ours, prometheus, written=None, **kw):
        case(f"2.0: {name}", v2((labels, s2())), ours, prometheus, kind=V2, written=written or [1 if ours == 204 else 0, 0, 0],
             **kw)

    ask("unsorted labels", [("z", "1"), ("__name__", "unsorted2"), ("a", "1")], 204, 204)
    ask("no labels", [], 400, 400)
    ask("no __name__", [("job", "nameless")], 400, 400)
    ask("an empty label name", named("empty_name2", ("", "x")), 400, 400)
    ask("an empty label value", named("empty_value2", ("job", "")), 400, 204, theirs=1, why=STRICTER)
    ask("a label name twice", named("twice2", ("job", "a"), ("job", "b")), 400, 400)
    ask("a label value that is not UTF-8", named("bytes2", ("job", b"\xc3\x28")), 400, 400)
    ask("a label name in UTF-8", named("utf82", ("größe", "x")), 204, 204)
    good = (named("good2", ("case", "beside a faulty series")), s2())
    case("2.0: a valid series beside one without __name__", v2(good, ([("job", "nameless")], s2())), 400, 400, kind=V2,
         stored=1, theirs=1, written=[1, 0, 0])
    references = {
        "an odd number of references": [1, 2, 3], "a reference beyond the table": [1, 9], "far beyond": [1, 4_000_000_000]}
    for name, refs in references.items():
        body = pb.text(4, "") + pb.text(4, "__name__") + pb.text(4, "refs") + pb.text(4, "x")
        packed = pb.message(5, pb.packed(1, [pb.varint(r) for r in refs]) + s2())
        case(f"2.0: {name}", body + packed, 400, 400, kind=V2, written=[0, 0, 0])
    case("2.0: the first symbol is not empty", v2((named("first2"), s2()), first="x"), 400, 204, kind=V2,
         written=[0, 0, 0], theirs=1, why=STRICTER)
    case("2.0: no table of symbols", v2(([0, 0], s2()), table=False), 400, 400, kind=V2, written=[0, 0, 0])
    late = pb.message(5, pb.packed(1, [b"\x01", b"\x02"]) + s2()) + pb.text(4, "") + pb.text(4, "__name__") + pb.text(4, "late2")
    case("2.0: symbols behind the series", late, 204, 204, kind=V2, written=[1, 0, 0])


def samples():
    case("1.0: an absent timestamp", series1(named("timeless"), pb.message(2, pb.double(1, 1.0))), 204, 400, why=RELAY)
    case("1.0: a timestamp of 1970", series1(named("ancient"), s1(1)), 204, 400, why=RELAY)
    case("1.0: a negative timestamp", series1(named("negative"), s1(-1)), 204, 400, why=RELAY)
    case("1.0: a timestamp two hours old", series1(named("old"), s1(T0 - 7_200_000)), 204, 400, why=RELAY)
    case("1.0: a timestamp of 2200", series1(named("future"), s1(7_258_118_400_000)), 204, 400, why=RELAY)
    case("1.0: the largest timestamp", series1(named("forever"), s1((1 << 63) - 1)), 204, 400, why=RELAY)
    case("1.0: an absent value", series1(named("valueless"), pb.message(2, pb.integer(2, T0))), 204, 204)
    case("1.0: a stale marker", series1(named("stale"), s1(T0, STALE)), 204, 204)
    case("1.0: NaN", series1(named("nan"), s1(T0, float("nan"))), 204, 204)
    case("1.0: infinity", series1(named("infinite"), s1(T0, float("inf"))), 204, 204)
    case("1.0: no samples", series1(named("sampleless")), 204, 204, stored=0)
    case("1.0: samples in descending order", series1(named("descending"), s1(T0 + 2), s1(T0 + 1)), 204, 204, stored=2, theirs=1,
         why=RELAY)
    case("1.0: a sample twice", series1(named("same"), s1(), s1()), 204, 204, stored=2, theirs=1, why=RELAY)
    case("1.0: two values at one time", series1(named("torn"), s1(T0, 1.0), s1(T0, 2.0)), 204, 204, stored=2, theirs=1,
         why=RELAY)
    case("1.0: samples and a histogram", series1(named("mixed"), s1(), h1(T0 + 1)), 204, 204, stored=2)
    case("2.0: an absent timestamp", v2((named("timeless2"), pb.message(2, pb.double(1, 1.0)))), 204, 400, kind=V2,
         written=[1, 0, 0], why=RELAY)
    case("2.0: a timestamp two hours old", v2((named("old2"), s2(T0 - 7_200_000))), 204, 400, kind=V2, written=[1, 0, 0],
         why=RELAY)
    case("2.0: a stale marker", v2((named("stale2"), s2(T0, STALE))), 204, 204, kind=V2, written=[1, 0, 0])
    case("2.0: neither sample nor histogram", v2((named("sampleless2"),)), 400, 400, kind=V2, written=[0, 0, 0])
    case("2.0: samples and a histogram", v2((named("mixed2"), s2(), h2(T0 + 1))), 400, 204, kind=V2, written=[0, 0, 0],
         theirs=2, why=STRICTER)
    case("2.0: a start timestamp", v2((named("started2"), s2(T0, 1.0, T0 - 1000))), 204, 204, kind=V2, written=[1, 0, 0])
    case("2.0: a start timestamp behind the sample", v2((named("late_start2"), s2(T0, 1.0, T0 + 1000))), 204, 204, kind=V2,
         written=[1, 0, 0])


def exemplars():
    up = named("exemplary")
    case("1.0: an exemplar", series1(up, s1(), e1([("trace_id", "a")])), 204, 204)
    case("1.0: an exemplar without labels", series1(up, s1(T0 + 1), e1([])), 204, 204)
    case("1.0: an exemplar with a long label", series1(up, s1(T0 + 2), e1([("trace_id", "x" * 200)])), 204, 204)
    case("1.0: an exemplar without a timestamp", series1(up, s1(T0 + 3), e1([("trace_id", "a")], timestamp=False)), 204, 204)
    case("1.0: an exemplar that is not UTF-8", series1(up, s1(T0 + 4), e1([("trace_id", b"\xff")])), 400, 204,
         theirs=1, why=STRICTER)
    case("1.0: an exemplar without samples", series1(up, e1([("trace_id", "b")])), 204, 204, stored=0)
    up = named("exemplary2")
    case("2.0: an exemplar", v2((up, s2(), e2([("trace_id", "a")]))), 204, 204, kind=V2, written=[1, 0, 1])
    case("2.0: an exemplar without samples", v2((up, e2([("trace_id", "b")]))), 400, 400, kind=V2, written=[0, 0, 0])
    case("2.0: an exemplar beyond the table", v2((up, s2(T0 + 1), e2(refs=[1, 99]))), 400, 400, kind=V2, written=[0, 0, 0],
         theirs=1, why=WHOLE)
    case("2.0: an exemplar with an odd reference", v2((up, s2(T0 + 2), e2(refs=[1]))), 400, 400, kind=V2, written=[0, 0, 0],
         theirs=1, why=WHOLE)


def metadata():
    entry = pb.message(3, pb.integer(1, 1) + pb.text(2, "family") + pb.text(4, "help") + pb.text(5, "seconds"))
    case("1.0: metadata alone", entry, 204, 204, stored=0)
    case("1.0: metadata of an unknown type", pb.message(3, pb.integer(1, 99) + pb.text(2, "family")), 204, 204, stored=0)
    case("2.0: metadata", v2((named("meta2"), s2(), m2(1, 1, 2))), 204, 204, kind=V2, written=[1, 0, 0])
    case("2.0: a help text beyond the table", v2((named("meta2"), s2(T0 + 1), m2(1, 99, 0))), 400, 400, kind=V2, written=[0, 0, 0])
    case("2.0: an unknown type", v2((named("meta2"), s2(T0 + 2), m2(99))), 204, 204, kind=V2, written=[1, 0, 0])


def histograms():
    def ask(name, ours, prometheus, **kw):
        extra = {k: kw.pop(k) for k in ("why", "stored", "theirs") if k in kw}
        metric = "h_" + "".join(c if c.isalnum() else "_" for c in name)
        case(f"1.0 histogram: {name}", series1(named(metric), h1(**kw)), ours, prometheus, **extra)
        case(f"2.0 histogram: {name}", v2((named(metric + "2"), h2(**kw))), ours, prometheus, kind=V2,
             written=[0, 1 if ours == 204 else 0, 0], **extra)

    floating = {"is_float": True, "buckets": (3, 4, 3)}
    custom = {"schema": -53, "threshold": 0, "zero": 0, "count": 10, "custom": (1, 2, 3, 4)}
    ask("integers", 204, 204)
    ask("floats", 204, 204, **floating)
    ask("count as integer and as float", 400, 400, both_counts=True)
    ask("count as integer and as float, buckets of floats", 204, 204, both_counts=True, **floating)
    ask("a count that does not fit its buckets", 400, 400, count=13)
    ask("a sum of NaN and a count above its buckets", 204, 204, count=13, total=float("nan"))
    ask("a sum of NaN and a count below its buckets", 400, 400, count=11, total=float("nan"))
    ask("a stale marker", 204, 204, count=0, zero=0, spans=(), buckets=(), total=struct.unpack("<d", struct.pack("<Q", STALE))[0])
    ask("empty", 204, 204, count=0, zero=0, spans=(), buckets=(), total=0.0)
    ask("a negative first offset", 204, 204, spans=((-3, 2), (1, 1)))
    ask("a negative later offset", 400, 400, spans=((0, 2), (-1, 1)))
    ask("spans for more buckets than there are", 400, 400, spans=((0, 2), (1, 2)))
    ask("spans for fewer buckets than there are", 400, 400, spans=((0, 2),))
    ask("a bucket below zero", 400, 400, buckets=(3, -4, 11))
    ask("a float bucket below zero", 400, 400, is_float=True, buckets=(3, -4, 11))
    ask("a float count below zero", 400, 400, is_float=True, count=-1, buckets=(3, 4, 3))
    ask("a float zero bucket below zero", 400, 400, is_float=True, zero=-1, buckets=(3, 4, 3))
    ask("float counts that do not add up", 204, 204, is_float=True, count=99, buckets=(3, 4, 3))
    ask("negative buckets", 204, 204, count=15, negative_spans=((0, 1),), negative=(3,))
    ask("schema 8", 204, 204, schema=8)
    ask("schema 9", 204, 204, schema=9)
    ask("schema 52", 204, 204, schema=52)
    ask("schema 53", 400, 400, schema=53)
    ask("schema -4", 204, 204, schema=-4)
    ask("schema -5", 400, 400, schema=-5)
    ask("custom buckets", 204, 204, **custom)
    ask("custom buckets without bounds", 400, 400, **{**custom, "custom": ()})
    ask("custom bounds that do not rise", 400, 400, **{**custom, "custom": (1, 2, 2, 4)})
    ask("a custom bound of NaN", 400, 400, **{**custom, "custom": (1, 2, float("nan"), 4)})
    ask("a custom bound of +Inf", 400, 400, **{**custom, "custom": (1, 2, 3, float("inf"))})
    ask("custom buckets and a zero bucket", 400, 400, **{**custom, "zero": 2, "count": 12})
    ask("custom buckets and negative ones", 400, 400, **{**custom, "negative_spans": ((0, 1),), "negative": (0,)})
    ask("custom bounds in an exponential schema", 400, 400, custom=(1, 2))
    ask("an unknown reset hint", 204, 204, hint=99)


def table():
    if not CASES:
        for questions in (negotiation, bodies, labels1, labels2, samples, exemplars, metadata, histograms):
            questions()
    return CASES


def as_json():
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in table()) + "\n]\n"


def json_path():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "answers.json")


if __name__ == "__main__":
    with open(json_path(), "w") as file:
        file.write(as_json())
