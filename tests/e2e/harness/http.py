"""HTTP as the tests need it: short deadlines, statuses as values, the Prometheus text format."""

import http.client
import json
import re
import socket

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? ([^ ]+)")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def request(connection, method, path, body=None, headers=None):
    """Returns (status, body). Faults of the network come out as OSError."""
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"{method} {path}: {error!r}") from error
    finally:
        connection.close()


def call(port, method, path, body=None, headers=None, host="127.0.0.1", timeout=10):
    return request(http.client.HTTPConnection(host, port, timeout=timeout), method, path, body, headers)


def get(port, path, host="127.0.0.1", timeout=10):
    return call(port, "GET", path, host=host, timeout=timeout)


def ok(port, path, host="127.0.0.1"):
    return get(port, path, host=host, timeout=2)[0] == 200


def get_json(port, path, host="127.0.0.1"):
    status, body = get(port, path, host=host)
    if status != 200:
        raise OSError(f"GET {path} answered {status}: {body[:200]!r}")
    return json.loads(body)


def series(port, host="127.0.0.1"):
    """{(name, labels as written): value} of a page in the text format."""
    status, body = get(port, "/metrics", host=host)
    if status != 200:
        raise OSError(f"GET /metrics answered {status}")
    matches = filter(None, map(SAMPLE.match, body.decode().splitlines()))
    return {(match[1], match[2] or ""): float(match[3]) for match in matches}


def total(port, name, labels="", host="127.0.0.1"):
    """Sum over the series of that name whose labels hold the given text, such as 'code="503"'."""
    page = series(port, host)
    return sum(value for (found, written), value in page.items() if found == name and labels in written)
