"""Bad input and trouble: each a clear message, a non-zero status, and nothing half-made left."""
import socket
import subprocess
import sys
import unittest

import templates
from weir_harness import Balancer, IS_ROOT, Weir, WeirTest


class Trouble(WeirTest):
    rootless = not IS_ROOT

    def write(self, text, name="site.yaml"):
        path = self.weir.home / name
        path.write_text(text)
        return path

    def refused(self, *arguments):
        """The text of an `up` that must fail and leave nothing."""
        done = self.weir.run("up", *arguments, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertTrue(done.stderr.splitlines(), done.stderr)
        self.assert_nothing_is_there()
        return done.stderr

    def assert_nothing_is_there(self):
        version = self.weir.json("version")
        if version["daemon"] is None:
            return
        status = self.weir.json("status")
        self.assertEqual((status["stacks"], status["load_balancers"], status["target_groups"]),
                         ([], [], []))
        self.assertEqual(self.weir.instances(), {})

    def tearDown(self):
        if self.weir.json("version")["daemon"] is not None:
            self.weir.run("down", "--all")
            self.weir.note_instances()

    def test_a_malformed_template_is_refused_with_file_and_line(self):
        path = self.write("Resources:\n  A:\n    Type: [unclosed\n")
        self.assertRegex(self.refused(path), r"site\.yaml:[34]:")

    def test_an_unknown_property_is_refused_with_its_line(self):
        text = templates.site("#!/bin/sh\n").replace("      Scheme:", "      Shceme:")
        line = next(i for i, words in enumerate(text.splitlines(), 1) if "Shceme" in words)
        said = self.refused(self.write(text))
        self.assertIn(f"site.yaml:{line}:", said)
        self.assertIn("Shceme", said)

    def test_an_unknown_resource_type_is_refused(self):
        said = self.refused(self.write("Resources:\n  Q:\n    Type: AWS::SQS::Queue\n"))
        self.assertIn("AWS::SQS::Queue", said)
        self.assertIn("site.yaml:3:", said)

    def test_an_unknown_instance_type_is_refused(self):
        self.assertIn("x9.huge", self.refused(self.write(
            templates.site("#!/bin/sh\n", instance_type="x9.huge"))))

    def test_an_unknown_image_is_refused(self):
        self.assertIn("ami-0123456789abcdef0", self.refused(self.write(
            templates.site("#!/bin/sh\n", image="ami-0123456789abcdef0"))))

    def test_an_unknown_parameter_is_refused(self):
        self.assertIn("Nonsense", self.refused(self.write(templates.site("#!/bin/sh\n")),
                                               "-p", "Nonsense=1"))

    def test_a_file_that_is_not_there(self):
        self.assertIn("nowhere.yaml", self.refused("nowhere.yaml"))

    def test_a_failed_first_up_ends_the_daemon_that_it_started(self):
        self.weir.run("stop", check=False)
        self.refused(self.write("Resources: {}\n"))
        self.assertIsNone(self.weir.json("version")["daemon"])

    def test_a_port_that_is_taken_is_named_and_everything_rolled_back(self):
        with socket.create_server(("127.0.0.1", 18080)), socket.create_server(("127.0.0.1", 26080)):
            said = self.refused(self.write(templates.site(templates.ECHO, port=18080)))
        self.assertIn("18080", said)

    def test_a_port_that_is_taken_moves_up(self):
        with socket.create_server(("127.0.0.1", 18090)):
            result = self.weir.up(self.write(templates.site(templates.ECHO, port=18090)))
            self.assertEqual(Balancer(result).port, 26090)
            self.assertEqual(Balancer(result).get("/")[0], 200)

    def test_a_changed_template_updates_the_stack_and_names_in_use_are_refused(self):
        first = self.weir.up(self.write(templates.site(templates.ECHO, port=18100)))
        ids = set(self.weir.instances())
        again = self.weir.up(self.write(templates.site(templates.ECHO, port=18101)))
        self.assertTrue(again["updated"])
        self.assertEqual(again["stack"]["status"], "UPDATE_COMPLETE")
        self.assertEqual(Balancer(again).get("/")[0], 200)
        self.assertEqual((Balancer(first).port, Balancer(again).port), (18100, 18101))
        self.assertEqual(set(self.weir.instances()), ids)
        same = self.weir.up(self.write(templates.site(templates.ECHO, port=18101)))
        self.assertTrue(same["existed"])
        same_names = self.weir.run("up", self.write(templates.site(templates.ECHO, port=18102)),
                                   "--name", "second", check=False)
        self.assertEqual(same_names.returncode, 1)
        self.assertIn("site", same_names.stderr)
        self.assertEqual([s["name"] for s in self.weir.json("status")["stacks"]], ["site"])
        self.assertEqual(len(self.weir.instances()), 1)

    def test_failed_user_data_is_reported_with_the_way_to_its_log(self):
        path = self.write(templates.site("#!/bin/sh\necho about to fail\nexit 7\n", port=18110))
        done = self.weir.run("up", path, "--timeout", "60", check=False)
        self.weir.note_instances()
        id_ = next(iter(self.weir.instances()))
        self.assertEqual(done.returncode, 1)
        for words in (id_, "exit status 7", f"weir logs {id_}", "weir down site"):
            self.assertIn(words, done.stderr)
        status = self.weir.run("status").stdout
        self.assertIn(f"weir logs {id_}", status)
        self.assertEqual(self.weir.instances()[id_]["state"], "running")
        self.assertIn("about to fail", self.weir.run("logs", id_).stdout)

    def test_malformed_requests_get_400_and_reach_no_target(self):
        balancer = Balancer(self.weir.up(self.write(templates.site(templates.ECHO, port=18120))))
        host = f"Host: {balancer.host}\r\n".encode()
        post = b"POST /smuggled HTTP/1.1\r\n" + host
        malformed = {
            "no path": b"GET\r\n" + host + b"\r\n",
            "bad version": b"GET /smuggled HTTP/x.y\r\n" + host + b"\r\n",
            "bad method": b"G@T /smuggled HTTP/1.1\r\n" + host + b"\r\n",
            "blank before the colon": b"GET /smuggled HTTP/1.1\r\n" + host + b"A : b\r\n\r\n",
            "no host": b"GET /smuggled HTTP/1.1\r\n\r\n",
            "two hosts": b"GET /smuggled HTTP/1.1\r\n" + host + b"Host: other\r\n\r\n",
            "two lengths": post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "length not a number": post + b"Content-Length: 1x\r\n\r\nx",
            "negative length": post + b"Content-Length: -1\r\n\r\nx",
            "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03/smuggled\r\n\r\n",
        }
        for name, request in malformed.items():
            with self.subTest(name):
                self.assertTrue(balancer.raw(request).startswith(b"HTTP/1.1 400 "), name)
        self.assertEqual(balancer.get("/marker")[0], 200)
        id_ = next(iter(self.weir.instances()))
        log = self.weir.exec(id_, "cat", "/var/log/requests").stdout
        self.assertIn("/marker", log)
        self.assertNotIn("smuggled", log)

    def test_bodies_pass_both_ways(self):
        balancer = Balancer(self.weir.up(self.write(templates.site(templates.ECHO, port=18130))))
        connection = balancer.connect()
        for size in (0, 1, 70_000, 3_000_000):
            body = bytes(i % 251 for i in range(1000)) * (size // 1000) + b"x" * (size % 1000)
            connection.request("POST", "/body", body=body, headers={"Host": balancer.host})
            answer = connection.getresponse().read()
            self.assertTrue(answer.endswith(body), size)
            head = answer[:len(answer) - len(body)].decode().lower()
            self.assertIn("x-forwarded-for: 127.0.0.1", head)
            self.assertIn("x-forwarded-proto: http", head)
            self.assertIn("x-forwarded-port: 18130", head)
            self.assertIn("x-amzn-trace-id: root=1-", head)
        connection.close()

    def test_no_permission_for_namespaces(self):
        """In a user namespace that may hold no other, as where an administrator forbids them."""
        fresh = Weir()
        self.addCleanup(fresh.discard)
        forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
        done = subprocess.run(["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh",
                               *fresh.command("up", "--rootless")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("user namespace", done.stderr)
        self.assertIn("sysctl -w user.max_user_namespaces", done.stderr)
        self.assertIsNone(fresh.json("version")["daemon"])
        self.assertEqual([line for line in fresh.leftovers_at_rest(5) if "link" not in line], [])

    def test_no_oci_runtime(self):
        fresh = Weir(self.rootless)
        self.addCleanup(fresh.discard)
        done = fresh.run("up", "--runtime", "no-such-runtime", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-runtime", done.stderr)
        self.assertEqual(fresh.leftovers() if self.rootless else [], [])
        self.assertIsNone(fresh.json("version")["daemon"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]], verbosity=2)
