"""The table of hostile/answers.py, asked of a real Prometheus and of the real agent."""

import http.client

from harness import http as pages
from harness.process import Failure, Process, free_port
from harness.tideover import Tideover
from hostile import answers, sink

WRITTEN = [f"X-Prometheus-Remote-Write-{what}-Written" for what in ("Samples", "Histograms", "Exemplars")]


def same_answers(world, options):
    with open(answers.json_path()) as file:
        if file.read() != answers.as_json():
            raise Failure("tests/data/answers.json is not what tests/e2e/hostile/answers.py writes")
    port = free_port()
    prometheus = world.own(Process("prometheus", [
        world.peer("prometheus"), "--config.file", world.file("prometheus.yaml", "global: {scrape_interval: 1h}\n"),
        "--storage.tsdb.path", world.directory("tsdb"), f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage"], world.log("prometheus"))).start()
    prometheus.wait_ready(lambda: pages.ok(port, "/-/ready"), 20)
    agent = world.own(Tideover(world, f"http://127.0.0.1:{sink.Sink().port}/write")).up()

    differences = []
    for row in answers.table():
        status, stored, written, words = ask(agent.port, row, lambda: agent.ledger()["accepted"])
        if (status, stored) != (row["status"], row["stored"]) or row["written"] not in (None, written):
            differences.append(f"{row['name']}: the agent answers {status}, keeps {stored}, written {written}: {words}")
        status, stored, _, words = ask(
            port, row, lambda: int(pages.total(port, "prometheus_tsdb_head_samples_appended_total")))
        if (status, stored) != (row["prometheus_status"], row["prometheus_stored"]):
            differences.append(f"{row['name']}: Prometheus answers {status}, keeps {stored}: {words}")
    for difference in differences:
        world.say(difference)
    if differences:
        raise Failure(f"{len(differences)} answers differ from the table")
    alike = sum(row["why"] is None for row in answers.table())
    world.say(f"{len(answers.table())} questions, {alike} answered as Prometheus does, the others differ for a reason")


def ask(port, row, count):
    """(status, samples and histograms kept, the three Written headers, words)"""
    headers = dict(row["headers"])
    if row["content_type"] is not None:
        headers["Content-Type"] = row["content_type"]
    if row["content_encoding"] is not None:
        headers["Content-Encoding"] = row["content_encoding"]
    before = count()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/api/v1/write", bytes.fromhex(row["body"]), headers)
    answer = connection.getresponse()
    words = answer.read().decode(errors="replace").strip()
    connection.close()
    written = [int(answer.getheader(name, "-1")) for name in WRITTEN]
    return answer.status, count() - before, written, words
