"""The examples, as a reader would try them.

Usage: examples_test.py [--rootless]
"""
import argparse
import sys
import unittest

from weir_harness import SOURCE, Balancer, WeirTest

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()


class Examples(WeirTest):
    rootless = OPTIONS.rootless

    def tearDown(self):
        self.weir.run("down", "--all")

    def test_one_instance_that_admits_the_load_balancer_alone(self):
        """Requests and health checks must come from the load balancer's own addresses."""
        template = self.weir.home / "one-instance.yaml"
        template.write_text((SOURCE / "examples/one-instance.yaml").read_text())
        result = self.weir.up(template, "--timeout", "60")
        self.assertEqual(result["targets"], {"healthy": 1, "total": 1})
        self.assertEqual(Balancer(result).get("/"), (200, "Hello from one-instance\n"))
        id_, instance = next(iter(self.weir.instances().items()))
        gateway = self.weir.exec(id_, "sh", "-c", "ip route show default").stdout.split()[2]
        seen = {line.split()[0] for line in
                self.weir.exec(id_, "cat", "/var/log/web.log").stdout.splitlines()
                if '"GET ' in line}
        self.assertTrue(seen)
        self.assertNotIn(gateway, seen)
        self.assertNotIn(instance["private_ip"], seen)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
