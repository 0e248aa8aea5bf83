"""A receiver that takes everything."""

import http.server
import threading

from harness.process import free_port


class Sink(http.server.ThreadingHTTPServer):
    """A receiver of 1.0 alone: 2.0 has to be converted, which is where small requests become large."""

    daemon_threads = True

    def __init__(self):
        self.port = free_port()
        super().__init__(("127.0.0.1", self.port), _Receive)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """The agent may go while a request is under way: nothing to tell."""


class _Receive(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(415 if "v2" in self.headers["Content-Type"] else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
