#!/usr/bin/env python3
"""A scrape target made for the tests: whatever a sample can be, at a rate that a short test needs.

  /metrics     text: counters, gauges of every float shape, series that come and go (so: stale markers)
  /flapping    the same in small, but the target itself fails now and then (so: all its series go stale at once)
  /histograms  protobuf: native histograms of integers and floats that grow, reset and vanish; start timestamps

Values follow from the number of the scrape alone, so two runs expose the same.
"""

import argparse
import math
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import protobuf as pb  # noqa: E402

COUNTER, GAUGE, HISTOGRAM, GAUGE_HISTOGRAM = 0, 1, 4, 5
ODD_VALUES = ["NaN", "+Inf", "-Inf", "-0", "5e-324", "1.7976931348623157e308", "0.1", "1e21", "-123456789.000001"]
ABSENT_EVERY, ABSENT_FOR = 7, 3  # scrapes


def present(index, scrape):
    """Series take turns in being away, so that every scrape has some that vanish and some that return."""
    return (scrape + index) % ABSENT_EVERY >= ABSENT_FOR


def text_metrics(scrape, count):
    lines = ["# HELP tide_work_total Work done, with a \\\\ and a\\nnewline.", "# TYPE tide_work_total counter"]
    wobble = math.sin(scrape / 7)
    for i in range(count):
        lines.append(f'tide_work_total{{worker="{i}",zone="z{i % 3}"}} {scrape * (i + 1)}')
    lines += ["# HELP tide_level_metres Water.", "# TYPE tide_level_metres gauge"]
    lines += [f'tide_level_metres{{buoy="{i}"}} {round(wobble * (i + 1), 3)}' for i in range(count // 2)]
    lines += ["# HELP tide_odd Floats of every shape.", "# TYPE tide_odd gauge"]
    lines += [
        f'tide_odd{{shape="{i}",note="süß \\"q\\" \\\\ \\n"}} {ODD_VALUES[(scrape + i) % len(ODD_VALUES)]}'
        for i in range(len(ODD_VALUES))
    ]
    lines += ["# HELP tide_visitor Comes and goes.", "# TYPE tide_visitor gauge"]
    lines += [f'tide_visitor{{name="{i}"}} {scrape + i / 8}' for i in range(20) if present(i, scrape)]
    return "\n".join(lines) + "\n"


def label(name, value):
    return pb.message(1, pb.text(1, name) + pb.text(2, value))


def timestamp(seconds):
    return pb.integer(1, int(seconds))


def spans(field, layout):
    return b"".join(pb.message(field, pb.signed(1, offset) + pb.integer(2, length)) for offset, length in layout)


def integer_histogram(scrape, index, started):
    """Grows into new buckets, and starts again every 40 scrapes."""
    age = scrape % 40 + 1
    width = 1 + age // 8
    counts = [age * (b + 1) + index for b in range(width)] + [age]
    deltas = [c - p for c, p in zip(counts, [0] + counts)]
    body = pb.integer(1, sum(counts) + 2) + pb.double(2, age * 1.25) + pb.signed(5, 3) + pb.double(6, 2.0**-128)
    body += pb.integer(7, 2)
    body += spans(12, [(index - 2, width), (3, 1)]) + pb.packed(13, [pb.zigzag(d) for d in deltas])
    return body + pb.message(15, timestamp(started + scrape - scrape % 40))


def float_histogram(scrape, index):
    counts = [0.5 + abs(math.sin(scrape / 5 + b)) for b in range(4)]
    body = pb.double(4, sum(counts) + 0.25) + pb.double(2, -scrape / 3) + pb.signed(5, 1) + pb.double(6, 0.001)
    body += pb.double(8, 0.25)
    body += spans(9, [(0, 2)]) + b"".join(pb.double(11, c) for c in counts[:2])
    body += spans(12, [(index, 2)]) + b"".join(pb.double(14, c) for c in counts[2:])
    return body


def family(name, kind, metrics):
    return pb.delimited(pb.text(1, name) + pb.text(2, name + " of the test.") + pb.integer(3, kind) + b"".join(metrics))


def protobuf_metrics(scrape, started):
    def metric(field, index, body):
        return pb.message(4, label("index", str(index)) + pb.message(field, body))

    counters = [metric(3, i, pb.double(1, float(scrape * i)) + pb.message(3, timestamp(started))) for i in range(20)]
    integers = [metric(7, i, integer_histogram(scrape, i, started)) for i in range(10) if present(i, scrape)]
    floats = [metric(7, i, float_histogram(scrape, i)) for i in range(4)]
    return b"".join(
        [
            family("tide_born_total", COUNTER, counters),
            family("tide_wait_seconds", HISTOGRAM, integers),
            family("tide_depth_metres", GAUGE_HISTOGRAM, floats),
        ]
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scrapes = {}
    series = 1000
    started = int(time.time())

    def do_GET(self):
        scrape = Handler.scrapes[self.path] = Handler.scrapes.get(self.path, 0) + 1
        if self.path == "/metrics":
            self.answer(200, text_metrics(scrape, Handler.series).encode())
        elif self.path == "/flapping":
            healthy = scrape % 11 < 8
            self.answer(200 if healthy else 500, text_metrics(scrape, 10).encode() if healthy else b"")
        elif self.path == "/histograms":
            kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            self.answer(200, protobuf_metrics(scrape, Handler.started), kind)
        elif self.path == "/ready":
            self.answer(200, b"")
        else:
            self.answer(404, b"")

    def answer(self, status, body, kind="text/plain; version=0.0.4; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--series", type=int, default=1000, help="counters of /metrics; half as many gauges come on top")
    arguments = parser.parse_args()
    Handler.series = arguments.series
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
