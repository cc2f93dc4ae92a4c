"""Delivered logs of a real daemon: what it leaves when it is killed, and what it delivers at its end.

Usage: logs_test.py [--rootless]
"""
import argparse
import gzip
import re
import sys
import unittest

import templates
from weir_harness import Balancer, WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

ATTRIBUTES = {
    "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "site-logs",
    "access_logs.s3.prefix": "a/b",
    "connection_logs.s3.enabled": "true", "connection_logs.s3.bucket": "site-logs",
    "health_check_logs.s3.enabled": "true", "health_check_logs.s3.bucket": "site-logs",
    "weir.connection_log.enabled": "true",
}


class Logs(WeirTest):
    rootless = OPTIONS.rootless

    def objects(self):
        """Every line delivered so far, by the log's prefix."""
        lines = {"": [], "conn_log_": [], "health_check_log_": []}
        bucket = self.weir.state / "s3" / "site-logs"
        for path in sorted(bucket.rglob("*.gz")):
            name = re.fullmatch(r"(conn_log_|health_check_log_|)\d{12}_elasticloadbalancing_[a-z0-9-]+_"
                                r"app\.site\.[0-9a-f]{16}_\d{8}T\d{4}Z_[0-9.]+_[0-9a-f]{8}\.log\.gz",
                                path.name)
            self.assertIsNotNone(name, path)
            folder = path.relative_to(bucket).parts
            if name[1] == "":
                self.assertEqual(folder[:3], ("a", "b", "AWSLogs"))
                folder = folder[2:]
            self.assertEqual((folder[0], folder[2]), ("AWSLogs", "elasticloadbalancing"))
            self.assertEqual("".join(folder[4:7]), re.search(r"_(\d{8})T", path.name)[1])
            with gzip.open(path, "rt", encoding="ascii") as text:
                lines[name[1]] += text.read().splitlines()
        return {log: sorted(each) for log, each in lines.items()}  # by time

    def parts(self):
        return [path for path in (self.weir.state / "log-parts").rglob("*") if path.is_file()]

    def test_nothing_is_lost_by_a_killed_daemon_or_at_the_end(self):
        template = self.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=18300, attributes=ATTRIBUTES))
        balancer = Balancer(self.weir.up(template))
        tests = {path.name for path in (self.weir.state / "s3").rglob("*TestFile")}
        self.assertEqual(tests, {"ELBAccessLogTestFile", "ELBConnectionLogTestFile",
                                 "ELBHealthCheckLogTestFile"})
        with self.subTest("killed"):
            self.assertEqual(balancer.get("/first")[0], 200)
            wait_until(lambda: sum("/first" in path.read_text() for path in self.parts()),
                       "the line is on disk")
            self.weir.kill_daemon()
            self.assertTrue(self.weir.up(template)["existed"])
            wait_until(lambda: any("/first" in line for line in self.objects()[""]),
                       "what it left is delivered")
        with self.subTest("ended"):
            self.assertEqual(balancer.get("/second")[0], 200)
            self.weir.run("stop")
            lines = self.objects()
            self.assertEqual(self.parts(), [])
            self.assertEqual([re.search(r"/(\w+) HTTP", line)[1] for line in lines[""]],
                             ["first", "second"])
        with self.subTest("one connection log"):
            local = next((self.weir.state / "logs").glob("app.site.*/connection.log"))
            self.assertEqual(local.read_text().splitlines(), lines["conn_log_"])
            traces = [re.search(r" TID_\w{16} ", line)[0] for line in lines[""]]
            self.assertEqual([re.search(r" TID_\w{16} ", line)[0] for line in lines["conn_log_"]],
                             traces)
        with self.subTest("checks"):
            self.assertIn(" site PASS 200 - app/site/", lines["health_check_log_"][0])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
