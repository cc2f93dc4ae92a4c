"""`weir exec`: signals, window sizes, and an end with the caller's.

Usage: exec_test.py [--rootless]
"""
import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import unittest

import templates
from weir_harness import WeirTest, wait_until

options = argparse.ArgumentParser()
options.add_argument("--rootless", action="store_true")
OPTIONS, REST = options.parse_known_args()


class Exec(WeirTest):
    rootless = OPTIONS.rootless

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = cls.weir.home / "site.yaml"
        template.write_text(templates.site(templates.ECHO, port=18400))
        cls.weir.up(template)
        cls.id = next(iter(cls.weir.instances()))

    def begin(self, script, **streams):
        """Starts a command that says "ready" once it is so."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **streams}
        running = subprocess.Popen(self.weir.command("exec", self.id, "--", "sh", "-c", script),
                                   **streams)
        self.addCleanup(running.communicate)
        self.addCleanup(running.kill)
        if running.stdout:
            self.assertEqual(running.stdout.readline(), b"ready\n")
        return running

    def runs_inside(self, words):
        return self.weir.exec(self.id, "pgrep", "-f", words, check=False).returncode == 0

    def test_an_interrupt_ends_the_command_and_what_it_waits_for(self):
        running = self.begin("echo ready; sleep 3601; echo no")
        running.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(30), 128 + signal.SIGINT)
        wait_until(lambda: not self.runs_inside("[s]leep 3601"), "the command has ended")

    def test_a_signal_arrives_as_what_it_is(self):
        running = self.begin("trap 'echo got; exit 41' TERM; echo ready; "
                             "while :; do sleep 0.05; done")
        running.send_signal(signal.SIGTERM)
        self.assertEqual((running.stdout.readline(), running.wait(30)), (b"got\n", 41))

    def test_a_second_interrupt_kills(self):
        running = self.begin("trap 'echo ignored' INT; echo ready; while :; do sleep 0.05; done")
        running.send_signal(signal.SIGINT)
        self.assertEqual(running.stdout.readline(), b"ignored\n")
        running.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(30), 128 + signal.SIGKILL)

    def test_it_does_not_outlive_a_caller_that_is_killed(self):
        running = self.begin("trap '' HUP; echo ready; sleep 3602")
        self.assertTrue(self.runs_inside("[s]leep 3602"))
        running.kill()
        wait_until(lambda: not self.runs_inside("[s]leep 3602"), "the command has ended")

    def test_what_it_leaves_in_the_background_stays(self):
        self.assertEqual(self.weir.exec(self.id, "sh", "-c",
                                        "sleep 3603 >/dev/null 2>&1 & echo done").stdout, "done\n")
        self.assertTrue(self.runs_inside("[s]leep 3603"))
        self.weir.exec(self.id, "pkill", "-f", "[s]leep 3603")

    def test_the_window_has_its_size_and_follows_it(self):
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)

        def set_size(rows, columns):
            fcntl.ioctl(controller, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def read_until(words):
            seen = b""
            while words not in seen:
                self.assertTrue(select.select([controller], [], [], 30)[0], seen)
                seen += os.read(controller, 4096)

        before = termios.tcgetattr(terminal)
        set_size(33, 101)
        # The runtime gives the terminal its size a moment after the command has begun.
        wait = "while [ \"$(stty size)\" != '{}' ]; do sleep 0.05; done; echo {}; "
        running = self.begin(wait.format("33 101", "first") + wait.format("44 122", "changed"),
                             stdin=terminal, stdout=terminal)
        read_until(b"first")
        set_size(44, 122)
        running.send_signal(signal.SIGWINCH)
        read_until(b"changed")
        self.assertEqual(running.wait(30), 0)
        self.assertEqual(termios.tcgetattr(terminal), before)
        os.close(terminal)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *REST], verbosity=2)
