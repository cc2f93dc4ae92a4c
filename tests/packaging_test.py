"""The manual page and the completion know every command and option of the program."""
import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent
WEIR = os.environ["WEIR_BINARY"]


def help_of(*words):
    return subprocess.run([WEIR, *words, "--help"], check=True, capture_output=True,
                          text=True).stdout


def commands():
    listed = help_of().split("Subcommands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+)", listed, re.M)


class Packaging(unittest.TestCase):
    def completed(self, *words):
        script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return subprocess.run(["bash", "-c", script, "bash", SOURCE / "packaging/weir.bash", WEIR,
                               *words], check=True, capture_output=True, text=True).stdout.split()

    def test_the_manual_page_has_every_command_and_option(self):
        page = subprocess.run([SOURCE / "packaging/man", WEIR], check=True, capture_output=True,
                              text=True).stdout.replace("\\-", "-")
        for name in commands():
            self.assertIn(f".SS weir {name}\n", page)
            for option in re.findall(r"--[a-z][-a-z]*", help_of(name)):
                self.assertIn(option, page)
        self.assertIn(".SS weir image import\n", page)

    def test_commands_and_options_are_completed(self):
        self.assertEqual(sorted(self.completed("")), sorted(commands()))
        self.assertEqual(self.completed("st"), ["status", "stop"])
        self.assertIn("--timings", self.completed("up", "--"))
        self.assertEqual(self.completed("up", "--app", ""), ["cpp", "flask"])
        self.assertIn("import", self.completed("image", ""))
        self.assertEqual(self.completed("status", "-o", ""), ["text", "json"])
        self.assertIn("/etc/passwd", self.completed("import", "web", "-o", "/etc/passw"))


if __name__ == "__main__":
    unittest.main()
