"""`weir up` without a file: nine instances, two clusters, one load balancer.

Usage: two_clusters_test.py [--rootless] [--event-loop io_uring|epoll] [--app cpp|flask]
"""
import argparse
import collections
import json
import sys
import unittest

import weir_harness
from weir_harness import Balancer, WeirTest

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
options.add_argument("--event-loop", default="io_uring")
options.add_argument("--app", default="cpp")
OPTIONS, REST = options.parse_known_args()


class TwoClusters(WeirTest):
    rootless = OPTIONS.rootless
    serve_flags = ("--event-loop", OPTIONS.event_loop)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.result = cls.weir.up("--app", OPTIONS.app)
        cls.balancer = Balancer(cls.result)
        cls.targets = cls.weir.targets()
        cls.clusters = sorted(cls.targets, key=lambda name: -len(cls.targets[name]))

    def test_it_is_made_of_nine_instances_and_says_so(self):
        self.assertEqual(self.result["targets"], {"healthy": 9, "total": 9})
        self.assertEqual(self.result["stack"]["status"], "CREATE_COMPLETE")
        self.assertEqual([len(self.targets[name]) for name in self.clusters], [5, 4])
        types = collections.Counter(i["type"] for i in self.weir.instances().values())
        self.assertEqual(types, {"m4.large": 5, "t2.large": 4})

    def test_the_daemon_serves_by_the_event_loop_asked_for(self):
        about = self.weir.json("version")["daemon"]
        self.assertEqual(about["event_loop"], OPTIONS.event_loop)
        self.assertEqual(about["rootless"], self.weir.rootless)

    def test_every_instance_answers_on_its_path(self):
        for number, name in enumerate(self.clusters, 1):
            connection = self.balancer.connect()
            answers = collections.Counter(
                self.balancer.get(f"/cluster{number}", connection) for _ in range(40))
            connection.close()
            expected = {(200, f"Instance {id_} is responding now!") for id_ in self.targets[name]}
            self.assertEqual({(s, body.strip()) for s, body in answers}, expected)
            self.assertEqual(len(set(answers.values())), 1 if 40 % len(expected) == 0 else 2,
                             f"round robin is even: {answers}")

    def test_the_root_answers_healthy(self):
        for _ in range(4):
            status, body = self.balancer.get("/")
            self.assertEqual((status, body.strip()), (200, "Healthy!"))

    def test_closing_connections_works_as_well(self):
        for _ in range(20):
            status, body = self.balancer.get("/cluster1", Connection="close")
            self.assertEqual(status, 200)
            self.assertIn("is responding now!", body)

    def test_metadata_is_what_the_instance_is(self):
        id_, instance = next(iter(self.weir.instances().items()))
        for path, expected in (("instance-id", id_), ("local-ipv4", instance["private_ip"]),
                               ("instance-type", instance["type"]),
                               ("placement/availability-zone", instance["zone"]),
                               ("ami-id", instance["image_id"])):
            url = f"http://169.254.169.254/latest/meta-data/{path}"
            self.assertEqual(self.weir.exec(id_, "curl", "-sS", "-m5", url).stdout.strip(), expected)
        token = self.weir.exec(id_, "curl", "-sS", "-m5", "-X", "PUT", "-H",
                               "X-aws-ec2-metadata-token-ttl-seconds: 60",
                               "http://169.254.169.254/latest/api/token").stdout.strip()
        with_token = self.weir.exec(id_, "curl", "-sS", "-m5", "-H",
                                    f"X-aws-ec2-metadata-token: {token}",
                                    "http://169.254.169.254/latest/meta-data/instance-id")
        self.assertEqual(with_token.stdout.strip(), id_)
        missing = self.weir.exec(id_, "curl", "-sS", "-m5", "-o", "/dev/null", "-w", "%{http_code}",
                                 "http://169.254.169.254/latest/meta-data/nothing-here")
        self.assertEqual(missing.stdout, "404")

    def test_a_port_that_no_group_opens_is_closed(self):
        ids = list(self.weir.instances())
        probed, prober = ids[0], ids[1]
        address = self.weir.instances()[probed]["private_ip"]
        listen = ("import socket; s=socket.create_server(('0.0.0.0', {port})); "
                  "open('/tmp/listens-{port}','w').close(); s.settimeout(30); s.accept()")
        connect = "import socket; socket.create_connection(('{}', {}), 3); print('open')"
        for port, is_open in ((443, True), (8081, False)):
            self.weir.exec(probed, "sh", "-c",
                           f"python3 -c \"{listen.format(port=port)}\" >/dev/null 2>&1 & "
                           f"while [ ! -e /tmp/listens-{port} ]; do :; done")
            tried = self.weir.exec(prober, "python3", "-c", connect.format(address, port),
                                   check=False)
            self.assertEqual(tried.returncode == 0, is_open, f"port {port}: {tried.stderr}")

    def test_hostname_and_exit_status(self):
        id_, instance = next(iter(self.weir.instances().items()))
        self.assertTrue(instance["private_dns_name"].startswith(
            "ip-" + instance["private_ip"].replace(".", "-")))
        self.assertIn(self.weir.exec(id_, "hostname").stdout.strip(),
                      (instance["private_dns_name"], instance["private_dns_name"].split(".")[0]))
        self.assertEqual(self.weir.exec(id_, "sh", "-c", "exit 37", check=False).returncode, 37)

    def test_logs_show_the_user_data(self):
        id_ = next(iter(self.weir.instances()))
        self.assertNotEqual(self.weir.run("logs", id_).stdout, "")

    def test_up_again_changes_nothing(self):
        before = self.weir.instances()
        again = self.weir.up("--app", OPTIONS.app)
        self.assertTrue(again["existed"])
        self.assertEqual(set(self.weir.instances()), set(before))

    def test_what_people_see_names_everything(self):
        status = self.weir.run("status").stdout
        for word in ("CREATE_COMPLETE", self.balancer.url, "us-east-1a", "us-east-1b", "healthy",
                     *self.clusters, *self.weir.instances()):
            self.assertIn(word, status)
        up = self.weir.run("up", "--app", OPTIONS.app).stdout
        for path in ("/cluster1", "/cluster2"):
            self.assertIn(f"curl {self.balancer.url}{path}", up)

    def test_zy_another_size_is_an_update(self):
        smaller = self.weir.up("--app", OPTIONS.app, "-p", "Cluster1Size=2")
        self.assertTrue(smaller["updated"])
        self.assertEqual(smaller["stack"]["status"], "UPDATE_COMPLETE")
        running = [i["type"] for i in self.weir.instances().values() if i["state"] == "running"]
        self.assertEqual(collections.Counter(running), {"m4.large": 2, "t2.large": 4})
        for path in ("/cluster1", "/cluster2"):
            self.assertEqual(self.balancer.get(path)[0], 200)

    def test_zz_down_leaves_nothing(self):
        ids = list(self.weir.instances())
        self.weir.run("down")
        self.assertEqual(self.weir.instances(), {})
        status = self.weir.json("status")
        self.assertEqual((status["stacks"], status["load_balancers"], status["target_groups"]),
                         ([], [], []))
        left = [line for line in self.weir.leftovers()
                if any(id_ in line for id_ in ids) or "veth" in line]
        self.assertEqual(left, [])
        with self.assertRaises(OSError, msg="nobody listens any more, or answers 503"):
            status, _ = self.balancer.get("/cluster1")
            raise OSError(status) if status >= 400 else AssertionError(status)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
