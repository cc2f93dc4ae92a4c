"""What becomes of instances: stopped, started, rebooted, terminated, killed; and of the daemon.

Usage: lifecycle_test.py [--rootless]
"""
import argparse
import os
import signal
import sys
import unittest

import templates
import weir_harness
from weir_harness import Balancer, WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()


class Site(WeirTest):
    """Two instances that echo; a fresh stack for each test."""
    rootless = OPTIONS.rootless

    def setUp(self):
        template = self.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, instances=2))
        self.balancer = Balancer(self.weir.up(template))
        self.first, self.second = sorted(self.weir.instances())

    def tearDown(self):
        self.weir.run("down", "--all")

    def wait_for_target(self, id_, state):
        wait_until(lambda: self.weir.target_states().get(id_) == state,
                   f"target {id_} is {state}: {self.weir.target_states()}", timeout=60)

    def answers(self):
        return self.balancer.get("/x")[0]

    def test_a_stopped_instance_takes_no_requests_and_comes_back(self):
        stopped = self.weir.json("instances", "stop", self.first)["instances"]
        self.assertEqual(stopped[0]["state"], "stopped")
        self.assertEqual(self.weir.target_states()[self.first], "unused")
        self.assertEqual([self.answers() for _ in range(10)], [200] * 10)
        address = self.weir.instances()[self.first]["private_ip"]
        self.weir.exec(self.second, "test", "-e", "/opt/echo.py")
        started = self.weir.json("instances", "start", self.first)["instances"]
        self.assertEqual((started[0]["state"], started[0]["private_ip"]), ("running", address))
        # User data runs once; what it made is still there, and it is the app's owner who starts it.
        self.weir.exec(self.first, "test", "-e", "/opt/echo.py")
        self.weir.exec(self.first, "sh", "-c", "python3 /opt/echo.py >/dev/null 2>&1 &")
        self.wait_for_target(self.first, "healthy")

    def test_a_reboot_keeps_the_disk(self):
        self.weir.exec(self.first, "touch", "/var/kept")
        before = self.weir.first_process(self.first)
        self.weir.json("instances", "reboot", self.first)
        wait_until(lambda: self.weir.first_process(self.first) not in (before, None),
                   "the instance has another first process")
        self.weir.exec(self.first, "test", "-e", "/var/kept")
        self.assertEqual(self.weir.instances()[self.first]["state"], "running")

    def test_a_terminated_instance_leaves(self):
        self.weir.json("instances", "terminate", self.first)
        self.assertNotIn(self.first, self.weir.instances())
        self.assertEqual([self.answers() for _ in range(10)], [200] * 10)
        shown = {i["id"]: i["state"] for i in self.weir.json("instances", "--all")["instances"]}
        self.assertEqual(shown[self.first], "terminated")

    def test_an_instance_that_is_killed_is_seen_and_its_target_fails(self):
        os.kill(self.weir.first_process(self.first), signal.SIGKILL)
        wait_until(lambda: self.weir.instances()[self.first]["state"] == "stopped",
                   "the instance is known to have ended")
        self.assertNotEqual(self.weir.instances()[self.first]["state_reason"], "")
        self.assertNotEqual(self.weir.target_states()[self.first], "healthy")
        self.assertIn(self.first, self.weir.run("status").stdout)
        self.assertEqual([self.answers() for _ in range(10)], [200] * 10)

    def test_an_app_that_ends_is_unhealthy(self):
        self.weir.exec(self.first, "sh", "-c", "kill -9 $(pgrep -f [e]cho.py)")
        self.wait_for_target(self.first, "unhealthy")
        target = self.weir.targets()["site"][self.first]
        self.assertTrue(target["reason"].startswith("Target."), target)
        wait_until(lambda: [self.answers() for _ in range(10)] == [200] * 10,
                   "the other target takes all requests")

    def test_a_daemon_that_is_killed_finds_its_instances_again(self):
        before = {id_: self.weir.first_process(id_) for id_ in (self.first, self.second)}
        self.assertNotIn(None, before.values())
        self.weir.kill_daemon()
        again = self.weir.up(self.weir.home / "site.yaml")
        self.assertTrue(again["existed"])
        self.assertEqual(again["targets"], {"healthy": 2, "total": 2})
        self.assertEqual(again["load_balancers"][0]["listeners"][0]["url"], self.balancer.url)
        self.assertEqual({id_: self.weir.first_process(id_) for id_ in before}, before)
        self.assertEqual([self.answers() for _ in range(4)], [200] * 4)
        metadata = self.weir.exec(self.first, "curl", "-sS", "-m5",
                                  "http://169.254.169.254/latest/meta-data/instance-id")
        self.assertEqual(metadata.stdout, self.first)
        self.weir.json("instances", "terminate", self.second)

    def test_an_instance_that_dies_without_a_daemon_is_found_dead(self):
        victim = self.weir.first_process(self.first)
        self.weir.kill_daemon()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not weir_harness.is_alive(victim), "the instance is gone")
        result = self.weir.run("up", self.weir.home / "site.yaml", check=False)
        self.assertIn(result.returncode, (0, 1))
        self.assertEqual(self.weir.instances()[self.first]["state"], "stopped")
        self.assertEqual(self.weir.instances()[self.second]["state"], "running")

    def test_stop_leaves_the_instances_running(self):
        before = self.weir.first_process(self.first)
        said = self.weir.run("stop").stdout
        self.assertIn("2 instances", said)
        self.assertTrue(weir_harness.is_alive(before))
        self.assertEqual(self.weir.run("status", check=False).returncode, 1)
        self.assertTrue(self.weir.up(self.weir.home / "site.yaml")["existed"])
        self.assertEqual(self.weir.first_process(self.first), before)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
