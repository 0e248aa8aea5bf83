"""The real programs around the agent: Prometheus as sender and receiver, Thanos Receive, the exporter."""

import json
import os
import sys

from . import http
from .process import Process, free_port, wait_for

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RW2 = "io.prometheus.write.v2.Request"


class Exporter(Process):
    def __init__(self, world, series=1000):
        self.port = free_port()
        argv = [sys.executable, os.path.join(HERE, "exporter.py"), "--port", self.port, "--series", series]
        super().__init__("exporter", argv, world.log("exporter"))

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.port, "/ready"), 20)


class Prometheus(Process):
    """Any Prometheus, with the roles that its configuration text gives it. The directory survives a restart."""

    def __init__(self, world, name, binary, config, flags=(), host="127.0.0.1", prefix=()):
        self.host = host
        self.port = free_port()
        self.data = world.directory(name)
        path = world.file(f"{name}.yaml", config)
        argv = [
            binary,
            f"--config.file={path}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address={host}:{self.port}",
            *flags,
        ]
        super().__init__(name, argv, world.log(name), prefix)

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.port, "/-/ready", self.host), 60)

    @property
    def api(self):
        return f"http://{self.host}:{self.port}"


class Sender(Prometheus):
    """Scrapes the exporter every second and remote-writes what it scraped."""

    def __init__(self, world, binary, exporter, write_url, version="rw1", native_histograms=True, headers=None):
        rw2 = version == "rw2"
        native = "scrape_native_histograms: true" if native_histograms else ""
        send_native = "send_native_histograms: true" if native_histograms else ""
        protobuf_message = f"protobuf_message: {RW2}" if rw2 else ""
        histograms = '{job_name: histograms, metrics_path: /histograms, static_configs: [{targets: ["%s"]}]}'
        headers = f"headers: {json.dumps(headers)}" if headers else ""
        target = f"127.0.0.1:{exporter.port}"
        config = f"""
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  {native}
scrape_configs:
  - {{job_name: metrics, metrics_path: /metrics, static_configs: [{{targets: ["{target}"]}}]}}
  - {{job_name: flapping, metrics_path: /flapping, static_configs: [{{targets: ["{target}"]}}]}}
  {"- " + histograms % target if native_histograms else ""}
remote_write:
  - url: {write_url}
    {protobuf_message}
    {send_native}
    {headers}
    remote_timeout: 10s
    queue_config: {{batch_send_deadline: 500ms, min_backoff: 30ms, max_backoff: 1s}}
    metadata_config: {{send: true, send_interval: 5s}}
"""
        # Start timestamps exist in Remote Write 2.0 only.
        flags = ["--enable-feature=st-storage"] if rw2 else []
        super().__init__(world, "sender", binary, config, flags)

    def metric(self, name):
        """One of prometheus_remote_storage_*, summed."""
        return http.total(self.port, "prometheus_remote_storage_" + name, host=self.host)

    def wait_sent(self, until_s, seconds):
        """Every sample up to `until_s` has left the write-ahead log for the queue's shards, and one of later was sent."""
        wait_for(
            f"the sender to have sent samples of {until_s:.0f}",
            lambda: self.metric("queue_highest_sent_timestamp_seconds") > until_s,
            seconds,
        )


class PrometheusReceiver(Prometheus):
    path = "/api/v1/write"
    tenant = headers = None

    def __init__(self, world, binary, name="receiver", host="127.0.0.1", prefix=(), window="4h"):
        self._config = world.file(f"{name}.yaml", "")
        super().__init__(world, name, binary, "", ["--web.enable-remote-write-receiver"], host, prefix)
        self.set_window(window)

    def set_window(self, window):
        """Takes effect at the next start."""
        with open(self._config, "w") as file:
            file.write(f"storage: {{tsdb: {{out_of_order_time_window: {window}}}}}\n")

    @property
    def write_port(self):
        return self.port

    @property
    def tsdb(self):
        return self.data


class Thanos(Process):
    """Thanos Receive. `window` is its out-of-order window."""

    path = "/api/v1/receive"

    def __init__(self, world, binary, name="receiver", host="127.0.0.1", prefix=(), window="4h", tenant="app1"):
        self.host = host
        self.tenant = tenant
        self.headers = {"THANOS-TENANT": tenant}
        self.write_port, self.port, self._grpc_port, self._capnproto_port = (free_port() for _ in range(4))
        self.data = world.directory(name)
        self._binary = binary
        super().__init__(name, self._argv_for(window), world.log(name), prefix)

    def _argv_for(self, window):
        return [
            self._binary,
            "receive",
            f"--tsdb.path={self.data}",
            '--label=replica="a"',
            f"--remote-write.address={self.host}:{self.write_port}",
            f"--http-address={self.host}:{self.port}",
            f"--grpc-address={self.host}:{self._grpc_port}",
            f"--receive.capnproto-address={self.host}:{self._capnproto_port}",
            f"--tsdb.out-of-order.time-window={window}",
        ]

    def set_window(self, window):
        """Takes effect at the next start."""
        self.set_argv(self._argv_for(window))

    def up(self):
        return self.start().wait_ready(lambda: http.ok(self.port, "/-/ready", self.host), 60)

    @property
    def api(self):
        return f"http://{self.host}:{self.write_port}"

    @property
    def tsdb(self):
        return os.path.join(self.data, self.tenant)
