#!/usr/bin/env python3
"""A receiver that takes every request, and writes down when it had all of it: one line per request, the seconds of the
system's monotonic clock and the bytes of the body. For measuring, where a real receiver's own work would be in the way."""

import argparse
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    record = None

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        size = left
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 16)))
        self.record.write(f"{time.monotonic()} {size}\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="HOST:PORT")
    parser.add_argument("--record", required=True, help="file")
    options = parser.parse_args()
    host, port = options.listen.rsplit(":", 1)
    Handler.record = open(options.record, "a", buffering=1)
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
