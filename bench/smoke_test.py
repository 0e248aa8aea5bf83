#!/usr/bin/env python3
"""Runs tideover-bench for seconds: what it measures is not looked at, that it measures is.

    bench/smoke_test.py BENCH TIDEOVER DIRECTORY
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import summary  # noqa: E402

BENCH, TIDEOVER, DIRECTORY = sys.argv[1:4]


def bench(*options, directory=None, load=("--seconds", "2", "--synthetic", "--series", "2000")):
    command = [BENCH, "--subject", "tideover", "--tideover", TIDEOVER, "--dir", directory or DIRECTORY, *load, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def measured(*options, **arguments):
    result = bench(*options, **arguments)
    if result.returncode != 0:
        raise AssertionError(result.stdout + result.stderr)
    return json.loads(result.stdout)


class Smoke(unittest.TestCase):
    def test_a_run_delivers_every_sample_once_and_says_what_it_cost(self):
        for version in ("1", "2"):
            with self.subTest(remote_write=version):
                run = measured("--remote-write", version, "--verify", "--churn", "0.5", "--scenario", "smoke")
                self.assertTrue(run["valid"] and run["verified"])
                self.assertEqual(run["scenario"], "smoke")
                self.assertEqual(run["accepted"]["samples"], run["forwarded"]["samples"])
                for path in ("samples_per_cpu_second", "acknowledged_ms/p50", "acknowledged_ms/p99.9", "rss_peak_mib",
                             "disk/written_bytes_per_sample", "wake_ups", "read_write_calls"):
                    self.assertGreater(summary.look_up(run, path), 0, path)

    def test_the_captured_stream_is_what_is_sent_by_default(self):
        for version in ("1", "2"):
            run = measured("--remote-write", version, load=("--seconds", "2"))
            self.assertEqual(run["stream"]["source"], "capture")
            self.assertGreater(run["stream"]["series"], 20000)

    def test_an_outage_ends_and_its_backlog_is_replayed(self):
        for phase in ("off:1..", "503:1.."):
            with self.subTest(phase=phase):
                run = measured("--sink", phase, "--rate", "20000", "--verify", load=("--seconds", "3"))
                (outage,) = run["outages"]
                self.assertGreater(outage["backlog_samples"], 0)
                self.assertGreater(outage["replay_seconds"], 0)
                self.assertGreater(outage["rss_peak_mib"], 0)

    def test_a_slow_receiver_is_slow(self):
        run = measured("--sink", "slow=300", "--rate", "5000")
        self.assertLess(run["forwarded"]["requests"], run["accepted"]["requests"])

    def test_a_run_of_rest_sends_nothing(self):
        run = measured("--rest", "--idle-connections", "3")
        self.assertEqual(run["accepted"]["samples"], 0)
        self.assertIsNotNone(run["cpu_percent_of_core"])

    def test_syncs_are_counted(self):
        run = measured("--count-syncs", "--rate", "5000")
        self.assertGreater(run["syncs"]["fdatasync"], 0)

    def test_limits_hold_or_the_sentence_says_why_there_are_none(self):
        result = bench("--cpu", "900m", "--memory", "400MiB", "--rate", "1000")
        if result.returncode != 0:
            self.assertIn("limits cannot be set here", result.stderr)
            return
        run = json.loads(result.stdout)
        self.assertEqual((run["cgroup"]["cpu_limit_millis"], run["cgroup"]["memory_limit_mib"]), (900, 400))
        self.assertGreater(run["cgroup"]["periods"], 0)
        self.assertGreater(run["cgroup"]["memory_peak_mib"], 0)

    def test_memory_is_no_disk(self):
        result = bench(directory="/dev/shm")
        self.assertEqual(result.returncode, 1)
        self.assertIn("lies in memory", result.stderr)

    def test_wrong_usage_is_said_in_a_sentence(self):
        for options in (("--sink", "on"), ("--cpu", "much")):
            result = bench(*options)
            self.assertEqual(result.returncode, 2)
            self.assertIn(options[1], result.stderr)


class Summary(unittest.TestCase):
    @staticmethod
    def run_of(subject, figure, **more):
        return {"scenario": "rw1", "subject": subject, "valid": True, "faults": [], "samples_per_cpu_second": figure,
                "rss_peak_mib": 30} | more

    def summarize(self, *runs):
        with tempfile.TemporaryDirectory() as directory:
            stem = pathlib.Path(directory) / "results"
            stem.with_suffix(".json").write_text("".join(json.dumps(run) + "\n" for run in runs))
            script = pathlib.Path(__file__).parent / "summary.py"
            result = subprocess.run([sys.executable, script, stem], capture_output=True, text=True)
            verdicts = stem.with_suffix(".targets.json").read_text().splitlines()
            return result, [json.loads(line) for line in verdicts]

    def test_the_ratio_is_that_of_medians_and_is_judged(self):
        ours = [self.run_of("tideover", figure) for figure in (3.9e6, 4.0e6, 4.1e6)]
        for theirs, met in ((0.2e6, True), (0.5e6, False)):
            with self.subTest(theirs=theirs):
                result, verdicts = self.summarize(*ours, self.run_of("prometheus", theirs))
                self.assertEqual(verdicts[0]["measured"], 4.0e6 / theirs)
                self.assertEqual(verdicts[0]["pass"], met)
                self.assertEqual(result.returncode, 0 if met else 1)
                self.assertIn(f"| M samples per CPU-second | 3.900 / 4.000 / 4.100 | {theirs / 1e6:.3f} |",
                              result.stdout)

    def test_the_worst_peak_is_judged(self):
        _, verdicts = self.summarize(*(self.run_of("tideover", 1e6, rss_peak_mib=peak) for peak in (30, 65, 31)))
        (peak,) = [verdict for verdict in verdicts if verdict["target"] == "VmHWM, steady"]
        self.assertEqual((peak["measured"], peak["pass"]), (65, False))

    def test_a_run_that_does_not_count_fails_the_whole_and_is_in_no_figure(self):
        faulty = self.run_of("tideover", 9e6, valid=False, faults=["it lost a sample"])
        result, _ = self.summarize(self.run_of("tideover", 1e6), faulty)
        self.assertEqual(result.returncode, 1)
        self.assertIn("it lost a sample", result.stdout)
        self.assertNotIn("9.000", result.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
