"""The daemon under clients that take too much or break off: others go on, and nothing stays behind.

Usage: storm_test.py [--rootless]
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import unittest

import templates
from weir_harness import Balancer, WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()

WORKERS = 2
OPEN_FILES_MAX = 256
STORM_CLIENTS = 600
# What two storms may leave to differ by: allocators keep some of what they were given.
GROWTH_KIB_MAX = 8192
CLIENTS_AT_ONCE = 16
# Idle connections to targets; a leak would be hundreds.
POOLED_MAX = CLIENTS_AT_ONCE * WORKERS
# Rootless, a worker keeps up to a batch of sockets of the VPC in stock.
SPARE_SOCKETS = 32 * WORKERS


class Storm(WeirTest):
    rootless = OPTIONS.rootless

    def setUp(self):
        # The hard limit as well, since the daemon raises the soft one to it.
        self.serving = subprocess.Popen(
            ["prlimit", f"--nofile={OPEN_FILES_MAX}:{OPEN_FILES_MAX}", *self.weir.command("serve", "--workers", WORKERS)],
            stderr=subprocess.PIPE, text=True, cwd=self.weir.home)
        self.addCleanup(self.serving.stderr.close)
        for line in self.serving.stderr:
            if line.rstrip().endswith("ready"):
                break
        template = self.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=18500))
        self.balancer = Balancer(self.weir.up(template))
        self.pid = self.weir.daemon_pid()
        self.spare = SPARE_SOCKETS if self.weir.rootless else 0

    def tearDown(self):
        self.weir.run("stop", "--with-instances")
        self.serving.communicate(timeout=60)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def client(self):
        return socket.create_connection(("127.0.0.1", self.balancer.port), timeout=30)

    def test_descriptors_exhausted_hold_back_new_clients_alone(self):
        early = self.balancer.connect()
        self.assertEqual(self.balancer.get("/early", early)[0], 200)
        before = self.open_files()
        crowd = [self.client() for _ in range(OPEN_FILES_MAX)]
        wait_until(lambda: self.open_files() >= OPEN_FILES_MAX - 2, "no descriptor is left")
        for _ in range(20):
            self.assertEqual(self.balancer.get("/early", early)[0], 200)
        for one in crowd:
            one.close()
        for _ in range(20):
            self.assertEqual(self.balancer.get("/late")[0], 200)
        early.close()
        wait_until(lambda: self.open_files() <= before + self.spare, "the descriptors are given back")

    def break_off(self, number):
        """One client of the storm; each ends in another way, and all with a reset."""
        host = f"Host: {self.balancer.host}\r\n".encode()
        sent = (b"",
                b"GET / HT",
                b"GET / HTTP/1.1\r\n" + host + b"\r\n",
                b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 100000\r\n\r\n" + b"x" * 5000,
                b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nffff\r\nx",
                (b"GET / HTTP/1.1\r\n" + host + b"\r\n") * 20)[number % 6]
        with self.client() as client:
            client.sendall(sent)
            if number % 12 >= 6 and number % 6 in (2, 5):
                client.recv(1)  # an answer has begun
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def storm(self):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE) as threads:
            list(threads.map(self.break_off, range(STORM_CLIENTS)))

    def test_a_storm_of_aborted_clients_leaves_nothing(self):
        self.assertEqual(self.balancer.get("/")[0], 200)
        self.storm()
        wait_until(lambda: self.balancer.get("/")[0] == 200, "requests are served after it")
        idle = self.open_files()
        settled = self.memory_kib()
        self.storm()
        for _ in range(20):
            self.assertEqual(self.balancer.get("/")[0], 200)
        wait_until(lambda: self.open_files() <= idle + self.spare + POOLED_MAX,
                   f"the descriptors are back to {idle}")
        self.assertLess(self.memory_kib() - settled, GROWTH_KIB_MAX)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
