"""The daemon and the command itself: in the foreground, beside another one, without one.

Usage: daemon_test.py [--rootless]
"""
import argparse
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import unittest

import templates
from weir_harness import Balancer, Weir, WeirTest, is_alive, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()


class Daemon(WeirTest):
    rootless = OPTIONS.rootless

    def setUp(self):
        self.template = self.weir.home / "site.yaml"
        self.template.write_text(templates.site(templates.ECHO, port=18200))

    def tearDown(self):
        self.weir.run("down", "--all", check=False)

    def one_instance(self):
        self.weir.up(self.template)
        return next(iter(self.weir.instances()))

    def test_in_the_foreground_it_ends_on_sigterm_and_ignores_sighup(self):
        self.weir.run("stop", check=False)
        serving = subprocess.Popen(self.weir.command("serve"), stderr=subprocess.PIPE, text=True,
                                   cwd=self.weir.home)
        self.addCleanup(serving.stderr.close)
        self.addCleanup(serving.kill)
        for line in serving.stderr:
            if line.rstrip().endswith("ready"):
                break
        pid = self.weir.daemon_pid()
        os.kill(pid, signal.SIGHUP)
        self.assertEqual(self.weir.daemon_pid(), pid)
        second = self.weir.run("serve", check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("a daemon runs already", second.stderr)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(serving.wait(30), 0)

    def test_two_daemons_live_side_by_side(self):
        first = Balancer(self.weir.up(self.template))
        other = Weir(self.rootless)
        try:
            template = other.home / "site.yaml"
            template.write_text(self.template.read_text())
            second = Balancer(other.up(template))
            self.assertEqual((first.port, second.port), (18200, 26200))
            for balancer in (first, second):
                self.assertEqual(balancer.get("/")[0], 200)
            self.assertFalse(set(self.weir.instances()) & set(other.instances()))
        finally:
            other.discard()
        self.assertEqual(first.get("/")[0], 200)

    def test_exec_has_a_terminal_where_the_caller_has_one(self):
        id_ = self.one_instance()
        controller, terminal = pty.openpty()
        done = subprocess.run(self.weir.command("exec", id_, "--", "sh", "-c", "test -t 0 && tty"),
                              stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        os.close(terminal)
        said = os.read(controller, 4096)
        os.close(controller)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"/dev/pts/", said)

    def test_exec_passes_input_output_and_status(self):
        id_ = self.one_instance()
        piped = subprocess.run(
            self.weir.command("exec", id_, "--", "sh", "-c", "cat; echo oops >&2; exit 9"),
            input="through\n", capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((piped.stdout, piped.returncode), ("through\n", 9))
        self.assertIn("oops", piped.stderr)

    def test_an_id_may_be_shortened(self):
        id_ = self.one_instance()
        self.assertEqual(self.weir.exec(id_[:8], "true").returncode, 0)
        wrong = self.weir.run("logs", "i-", check=False)
        self.assertEqual(wrong.returncode, 1)

    def test_logs_follow_until_the_reader_goes(self):
        id_ = self.one_instance()
        following = subprocess.Popen(self.weir.command("logs", "-f", id_), stdout=subprocess.PIPE,
                                     text=True)
        self.assertIn(id_, following.stdout.readline())
        following.stdout.close()
        following.terminate()
        following.wait(30)
        self.assertIsNotNone(self.weir.daemon_pid())

    def test_down_works_without_a_daemon_and_leaves_none(self):
        self.one_instance()
        self.weir.run("stop")
        self.assertEqual(self.weir.run("down").returncode, 0)
        self.assertIsNone(self.weir.json("version")["daemon"])

    def test_a_stopped_daemon_leaves_no_socket(self):
        self.one_instance()
        self.assertTrue((self.weir.state / "control.sock").exists())
        self.weir.run("stop")
        self.assertFalse((self.weir.state / "control.sock").exists())

    def test_a_secret_that_nothing_uses_changes_nothing_and_is_not_kept_or_shown(self):
        text = self.template.read_text().replace(
            "Resources:", "  Word: {Type: String, NoEcho: true}\nResources:", 1)
        self.template.write_text(text)
        self.weir.up(self.template, "-p", "Word=open-sesame")
        self.assertTrue(self.weir.up(self.template, "-p", "Word=open-sesame")["existed"])
        other = self.weir.run("up", self.template, "-p", "Word=open-barley")
        shown = other.stdout + other.stderr + self.weir.run("status", "--output", "json").stdout
        kept = b"".join(path.read_bytes() for path in self.weir.state.glob("weir.*"))
        for word in ("open-sesame", "open-barley"):
            self.assertNotIn(word, shown)
            self.assertNotIn(word.encode(), kept)

    def test_an_interrupted_up_says_that_the_stack_goes_on(self):
        self.template.write_text(templates.site("#!/bin/sh\nsleep 3600\n", port=18201))
        going = subprocess.Popen(self.weir.command("up", self.template), stderr=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, text=True, cwd=self.weir.home)
        for line in going.stderr:
            if "resources made" in line:
                break
        going.send_signal(signal.SIGINT)
        said = going.communicate(timeout=30)[1]
        self.assertEqual(going.returncode, 128 + signal.SIGINT)
        for words in ("goes on", "weir status", "weir down site"):
            self.assertIn(words, said)
        self.weir.note_instances()
        self.assertEqual(self.weir.json("status")["stacks"][0]["status"], "CREATE_COMPLETE")

    def test_garbage_on_the_control_socket_harms_nothing(self):
        self.one_instance()
        pid = self.weir.daemon_pid()
        path = str(self.weir.state / "control.sock")
        deep = b'{"command":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
        for request in (b"\n", b"{}\n", b"nonsense\n", b'{"command":"up","parameters":7}\n',
                        b'{"command":"exec"}\n', b'{"command":17}\n', b"\xff\xfe\n", deep,
                        b'{"command":"status","version":"0.0.0"}\n'):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                client.sendall(request)
                reply = json.loads(client.makefile().readline())
                self.assertIn("error", reply, request[:60])
        self.assertEqual(self.weir.daemon_pid(), pid)

    def test_another_version_is_told_what_to_do(self):
        self.one_instance()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.weir.state / "control.sock"))
            client.sendall(b'{"command":"status","version":"9.9.9"}\n')
            reply = json.loads(client.makefile().readline())
        self.assertEqual(reply["error"]["code"], "VersionMismatch")

    def test_the_first_commands_come_at_once(self):
        """Several `up` without a daemon: one starts it, all end the same way."""
        self.weir.run("down", "--all", check=False)
        self.weir.run("stop", check=False)
        ups = [subprocess.Popen(self.weir.command("up", self.template), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd=self.weir.home)
               for _ in range(3)]
        outputs = [up.communicate(timeout=120) for up in ups]
        self.weir.note_instances()
        statuses = sorted(up.returncode for up in ups)
        self.assertEqual(statuses[0], 0, outputs)
        self.assertEqual(len(self.weir.instances()), 1)
        pid = self.weir.daemon_pid()
        self.assertTrue(is_alive(pid))
        self.weir.run("stop", "--with-instances")
        wait_until(lambda: not is_alive(pid), "the daemon has ended")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
